import { Accounts, fromHex, toHex } from '@sotto/protocol';
import type { Device } from '../device.js';

/** A device of the account, as the server knows it: those that hold one of its places, and those that were revoked. */
export interface AccountDevice {
  /** Lower-case hex. */
  readonly device: string;
  /** This one. */
  readonly own: boolean;
  readonly online: boolean;
  readonly pending: boolean;
  readonly revoked: boolean;
}

export async function listDevices(device: Device): Promise<AccountDevice[]> {
  const { devices } = await device.requireLink().call(Accounts.method.listDevices, {});
  const { device: own, pending } = device.signedIn().session;
  const others = devices.filter((each) => toHex(each.device) !== own);
  const views = others.map((each) => ({
    device: toHex(each.device),
    own: false,
    online: each.online,
    pending: each.pending,
    revoked: each.revoked,
  }));
  return [{ device: own, own: true, online: true, pending, revoked: false }, ...views];
}

/** Ends the device's session at once and for good. */
export async function revokeDevice(device: Device, revoked: string): Promise<void> {
  await device.requireLink().call(Accounts.method.revokeDevice, { device: fromHex(revoked) });
}
