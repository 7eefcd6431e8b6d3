import { ready } from '@sotto/channel';
import sodium from 'libsodium-wrappers';
import type { LoadSettings } from './load-settings.js';
import { inParallel } from './registrations.js';
import { type KnownDevice, SottoConnection } from './sotto-connection.js';

/** Connections of devices that are known already, held and left alone: `pairs` of them at each `connect`, which may come twice. */
export class IdleLoad {
  private devices: KnownDevice[] = [];
  private readonly held: SottoConnection[] = [];

  constructor(private readonly settings: LoadSettings) {}

  /** Makes the devices; none stays connected. */
  async prepare(): Promise<void> {
    await ready();
    await sodium.ready;
    this.devices = await inParallel(2 * this.settings.pairs, async () => {
      const connection = await this.open();
      const device = await connection.register();
      await connection.close();
      return device;
    });
  }

  async connect(): Promise<void> {
    await inParallel(this.settings.pairs, async () => {
      const connection = await this.open();
      await connection.resume(this.devices.pop()!);
      this.held.push(connection);
    });
  }

  private open(): Promise<SottoConnection> {
    return SottoConnection.open(this.settings.url, Buffer.from(this.settings.pin, 'hex'));
  }
}
