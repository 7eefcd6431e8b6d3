import type { DeviceRoute } from '@sotto/platform/live-state';
import { fromHex } from '@sotto/protocol';

/** What a connection is once it is attached as a device. */
export class AttachedSession {
  /** As registered in live state; undefined for a pending device, which receives no messages. */
  route: DeviceRoute | undefined;
  private deviceId: Uint8Array | undefined;
  private accountId: Uint8Array | undefined;

  constructor(
    readonly account: string,
    readonly device: string,
    readonly pending: boolean,
    /** Unix seconds: when its access token was issued. */
    public since: number,
  ) {}

  /** Made at the first message: most connections send none for long, and two small arrays take 400 bytes. */
  get deviceBytes(): Uint8Array {
    return (this.deviceId ??= fromHex(this.device));
  }

  get accountBytes(): Uint8Array {
    return (this.accountId ??= fromHex(this.account));
  }
}
