import type { Frame } from '@sotto/protocol';
import type { Device } from '../device.js';
import type { Messaging } from '../messaging/messaging.js';
import { listDevices } from './account-devices.js';

/** After a hint: a device that was just let in connects anew, and publishes its key packages, before it can be brought in. */
const LOOKS_MS = [500, 2_500, 6_000, 20_000, 60_000];
/** The server says nothing of a device that comes online. Also the least time between two tries for one device and group. */
const EVERY_MS = 600_000;

/** The other devices of the account: this one brings them into the conversations that it is in. */
export class Companions {
  readonly #tried = new Map<string, number>();
  /** Connected at the last look. */
  #there: ReadonlySet<string> | undefined;
  #timers: ReturnType<typeof setTimeout>[] = [];

  constructor(
    private readonly device: Device,
    private readonly messaging: Messaging,
  ) {
    device.events.on('group', ({ kind }) => kind === 'joined' && this.soon());
  }

  /** What the server hints at. */
  hear(frames: readonly Frame[]): void {
    if (frames.some(({ kind }) => kind.case === 'event' && kind.value.kind.case === 'devicesChanged')) this.soon();
  }

  /** After each connect, and whenever there may be something to do. */
  soon(): void {
    this.close();
    if (!this.device.closed) this.#timers = [...LOOKS_MS.map((wait) => this.#lookIn(wait)), setTimeout(() => this.soon(), EVERY_MS)];
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  #lookIn(wait: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => void this.#look().catch((error: unknown) => this.device.failed(error)), wait);
  }

  async #look(): Promise<void> {
    if (this.device.messenger === undefined || this.device.connection.link === undefined) return;
    const listed = await listDevices(this.device);
    const there = listed.filter(({ own, online, pending, revoked }) => !own && online && !pending && !revoked).map(({ device }) => device);
    this.device.alone = there.length === 0 && this.#there?.size === 0;
    // Connected for a while: its key packages are published.
    const settled = there.filter((device) => this.#there?.has(device) === true);
    this.#there = new Set(there);
    if (settled.length > 0) await this.#bringIn(settled);
    if (this.device.alone) await this.device.step((journal) => this.messaging.beginWhereWaited(journal));
  }

  #bringIn(devices: readonly string[]): Promise<void> {
    return this.messaging.step(async (messenger, step) => {
      for (const [key, at] of this.#tried) if (step.now - at >= EVERY_MS) this.#tried.delete(key);
      const lacking = messenger.groups().filter(({ out, retired }) => !out && !retired);
      const groups = lacking.filter(({ id, members }) => {
        const inside = new Set(members.map(({ identity }) => identity.device));
        const due = devices
          .map((device) => [device, `${device}/${id}`] as const)
          .filter(([device, key]) => !inside.has(device) && !this.#tried.has(key) && !messenger.hasLeft(id, device));
        for (const [, key] of due) this.#tried.set(key, step.now);
        return due.length > 0;
      });
      if (groups.length > 0)
        await messenger.bringOwnDevices(
          groups.map(({ id }) => id),
          step,
        );
    });
  }
}
