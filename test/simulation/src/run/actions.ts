import type { GroupView, Intent } from '@sotto/client/core';
import { hasRight } from '@sotto/mls';
import type { Copy, Device } from '../devices/device.js';
import type { CrashPoint } from '../devices/disk.js';
import type { Random } from '../random.js';
import type { Adversary } from './adversary.js';
import type { Simulation } from './simulation.js';

export type ActionName =
  | 'write'
  | 'add'
  | 'remove'
  | 'rename'
  | 'role'
  | 'refresh'
  | 'leave'
  | 'newGroup'
  | 'newConversation'
  | 'discard'
  | 'disconnect'
  | 'crash'
  | 'copyDisk'
  | 'putDiskBack'
  | 'die'
  | 'crashRelay'
  | 'wipeSlots'
  | 'wipePackages'
  | 'wait'
  | 'sleep'
  | 'hostile';

const MOST_GROUPS = 4;
const CRASH_POINTS: readonly CrashPoint[] = ['before-commit', 'after-commit', 'between-effects'];
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const text = new TextEncoder();

/** What people and misfortune do, one thing at a time, by chance. */
export class Actions {
  readonly #copies = new Map<Device, Copy>();
  readonly #groups = new Set<string>();
  #written = 0;

  constructor(
    private readonly simulation: Simulation,
    private readonly random: Random,
    private readonly adversary: Adversary | undefined,
  ) {}

  act(name: ActionName): Promise<void> | void {
    return this[name]();
  }

  get firstGroup(): string | undefined {
    return this.#groups.values().next().value;
  }

  /** A group of its own, with whoever of these accounts can be had. */
  async found(device: Device, accounts: readonly string[]): Promise<void> {
    const id = await device.step('create a group', (messenger, step) => messenger.createGroup('friends', accounts, step));
    if (id !== undefined) this.#groups.add(id);
  }

  // --- people

  async write(): Promise<void> {
    const place = this.#place(() => true);
    if (place !== undefined) await place.device.write(place.group.id, text.encode(`message ${++this.#written}`));
  }

  async add(): Promise<void> {
    const place = this.#place((group, device) => this.#may(group, device, 'mayAdd'));
    if (place === undefined) return;
    const { device, group } = place;
    const present = new Set(group.members.map(({ identity }) => identity.account));
    const outside = [...this.simulation.accounts.values()].filter(
      (each) => !present.has(each) && this.simulation.areContacts(device.identity.account, each),
    );
    if (outside.length > 0) await this.#wish(device, group, { kind: 'add', account: this.random.pick(outside) });
  }

  async remove(): Promise<void> {
    const place = this.#place((group, device) => this.#may(group, device, 'mayRemove'));
    if (place === undefined) return;
    const others = place.group.members.filter(({ identity }) => identity.device !== place.device.identity.device);
    if (others.length === 0) return;
    await this.#wish(place.device, place.group, { kind: 'remove', leaves: [this.random.pick(others).id] });
  }

  async rename(): Promise<void> {
    const place = this.#place((group, device) => this.#may(group, device, 'mayRename'));
    if (place !== undefined) await this.#wish(place.device, place.group, { kind: 'rename', name: `name ${this.random.whole(0, 9)}` });
  }

  async role(): Promise<void> {
    const place = this.#place((group, device) => this.#may(group, device, 'mayAdd'));
    if (place === undefined) return;
    const { account } = this.random.pick(place.group.members).identity;
    await this.#wish(place.device, place.group, { kind: 'role', account, admin: this.random.chance(0.7) });
  }

  async refresh(): Promise<void> {
    const place = this.#place(() => true);
    if (place === undefined) return;
    const id = Buffer.from(this.random.bytes(16)).toString('hex');
    await this.#wish(place.device, place.group, { kind: 'refresh', id });
  }

  async leave(): Promise<void> {
    const place = this.#place(({ data }) => data.kind === 'group');
    await place?.device.leave(place.group.id);
  }

  async newGroup(): Promise<void> {
    const device = this.#someone();
    if (device === undefined || this.#groups.size >= MOST_GROUPS) return;
    const contacts = [...this.simulation.accounts.values()].filter((each) => this.simulation.areContacts(device.identity.account, each));
    await this.found(
      device,
      contacts.filter(() => this.random.chance(0.6)),
    );
  }

  async newConversation(): Promise<void> {
    const device = this.#someone();
    const contacts = [...this.simulation.accounts.values()].filter(
      (each) => device !== undefined && this.simulation.areContacts(device.identity.account, each),
    );
    if (device === undefined || contacts.length === 0) return;
    const account = this.random.pick(contacts);
    await device.step('begin a conversation', (messenger, step) => messenger.beginDirect(account, step));
  }

  async discard(): Promise<void> {
    const device = this.#someone();
    const [open] = device?.messenger?.queue() ?? [];
    const composed = open && this.simulation.ledger.composed.get(open.id);
    if (device === undefined || composed === undefined) return;
    await device.step('discard', async (messenger, step) => messenger.discard(composed.content, step));
    composed.discarded = true;
  }

  // --- misfortune

  async disconnect(): Promise<void> {
    const device = this.#victim(({ online }) => online);
    if (device === undefined) return;
    this.simulation.counters.count('offline');
    await device.disconnect();
    this.#later(this.random.wait(this.random.pick([2_000, 30_000, 5 * MINUTE_MS])), () => device.connect());
  }

  crash(): void {
    const device = this.#victim(({ running }) => running);
    if (device === undefined) return;
    device.crashAt(this.random.pick(CRASH_POINTS));
    this.#later(5_000 + this.random.wait(30_000), () => this.#restart(device));
  }

  copyDisk(): void {
    const device = this.#victim(() => true);
    if (device !== undefined) this.#copies.set(device, device.copy());
  }

  putDiskBack(): void {
    const device = this.#victim((each) => this.#copies.has(each));
    const copy = device && this.#copies.get(device);
    if (device === undefined || copy === undefined) return;
    this.simulation.counters.count('restarted-from-old-copy');
    device.putBack(copy);
    this.#later(this.random.wait(10_000), () => this.#restart(device));
  }

  die(): void {
    const device = this.#victim(() => true);
    const alive = this.simulation.devices.filter(({ dead }) => !dead);
    if (device === undefined || alive.length < 4) return;
    this.simulation.counters.count('died');
    device.die();
  }

  crashRelay(): void {
    this.simulation.counters.count('relay-crash');
    this.simulation.server.relay.crash();
  }

  wipeSlots(): void {
    if (this.simulation.server.slots.wipe()) this.simulation.counters.count('slots-wiped');
  }

  wipePackages(): void {
    this.simulation.counters.count('packages-lost');
    this.simulation.server.directory.wipe();
    for (const device of this.simulation.devices) this.#later(this.random.wait(2_000), () => device.publish());
  }

  wait(): Promise<void> {
    return this.simulation.pass(this.random.wait(5 * MINUTE_MS));
  }

  /** More than a day: what is put off for a day happens. */
  sleep(): Promise<void> {
    return this.simulation.sleep(this.random.whole(20, 50) * HOUR_MS);
  }

  hostile(): Promise<void> | void {
    return this.adversary?.act();
  }

  async #restart(device: Device): Promise<void> {
    if (device.running || device.dead) return;
    this.simulation.counters.count('restarted');
    await device.start();
    await device.connect();
  }

  #later(ms: number, act: () => Promise<void>): void {
    this.simulation.schedule.after(ms, act);
  }

  // --- who

  #victim(which: (device: Device) => boolean): Device | undefined {
    const all = this.simulation.devices.filter((each) => !each.dead && which(each));
    return all.length === 0 ? undefined : this.random.pick(all);
  }

  #someone(): Device | undefined {
    return this.#victim(({ messenger }) => messenger !== undefined);
  }

  #place(which: (group: GroupView, device: Device) => boolean): { device: Device; group: GroupView } | undefined {
    const device = this.#someone();
    const groups = (device?.messenger?.groups() ?? []).filter((each) => !each.out && !each.retired && which(each, device!));
    return device === undefined || groups.length === 0 ? undefined : { device, group: this.random.pick(groups) };
  }

  #may({ data, members }: GroupView, { identity }: Device, right: 'mayAdd' | 'mayRemove' | 'mayRename'): boolean {
    return data.kind === 'group' && hasRight(data[right], identity.account, data, members);
  }

  #wish(device: Device, group: GroupView, intent: Intent): Promise<void> {
    return device.step(`wish to ${intent.kind}`, (messenger, step) => messenger.wish(group.id, intent, step)).then(() => undefined);
  }
}
