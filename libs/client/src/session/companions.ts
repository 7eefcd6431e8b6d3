import type { Frame } from '@sotto/protocol';
import type { Device } from '../device.js';
import type { Messaging } from '../messaging/messaging.js';
import type { GroupView, Messenger } from '../messaging/messenger.js';
import { listDevices } from './account-devices.js';

/** After a hint: a device that was just let in connects anew, and publishes its key packages, before it can be brought in. */
const LOOKS_MS = [500, 2_500, 6_000, 20_000, 60_000, 180_000];
/** The server says nothing of a device that comes online. */
const EVERY_MS = 600_000;
/** Between tries for one device and group: first, doubled each time. Each takes a key package, and perhaps none was published yet. */
const FIRST_WAIT_MS = 2_000;
const LAST_WAIT_MS = EVERY_MS;

interface Try {
  /** Unix milliseconds. */
  readonly at: number;
  readonly waitMs: number;
}

/** The other devices of the account: this one brings them into the conversations that it is in. */
export class Companions {
  /** By device and group, as long as the device is not in it. */
  readonly #tries = new Map<string, Try>();
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
      this.#forgetTries(step.now);
      const open = messenger.groups().filter(({ out, retired }) => !out && !retired);
      const lacking = open.filter((group) => this.#lackedBy(group, devices, messenger, step.now).length > 0).map(({ id }) => id);
      if (lacking.length > 0) await messenger.bringOwnDevices(lacking, step);
    });
  }

  /** Those that are to be brought in now; noted as tried. */
  #lackedBy({ id, members }: GroupView, devices: readonly string[], messenger: Messenger, now: number): string[] {
    const inside = new Set(members.map(({ identity }) => identity.device));
    return devices.filter((device) => {
      const key = `${device}/${id}`;
      const before = this.#tries.get(key);
      if (inside.has(device)) this.#tries.delete(key);
      if (inside.has(device) || messenger.hasLeft(id, device)) return false;
      // An earlier try goes on by itself, also over a lost connection.
      if (before !== undefined && (now - before.at < before.waitMs || messenger.isBringingOwnDevices(id))) return false;
      this.#tries.set(key, { at: now, waitMs: before === undefined ? FIRST_WAIT_MS : Math.min(2 * before.waitMs, LAST_WAIT_MS) });
      return true;
    });
  }

  /** Of groups and devices that are no more. */
  #forgetTries(now: number): void {
    for (const [key, { at }] of this.#tries) if (now - at > 2 * LAST_WAIT_MS) this.#tries.delete(key);
  }
}
