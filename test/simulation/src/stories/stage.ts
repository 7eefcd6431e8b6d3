import type { Intent, Messenger } from '@sotto/client/core';
import type { Device } from '../devices/device.js';
import type { Random } from '../random.js';
import type { Adversary } from '../run/adversary.js';
import type { Simulation } from '../run/simulation.js';
import { CALM_SERVER } from '../server/server.js';

const SLICE_MS = 2_000;
const LONG_MS = 900_000;
const text = new TextEncoder();

type GroupCore = NonNullable<ReturnType<Messenger['unsafeGroup']>>['core'];

/** This world has not what the story needs. */
export class Untold extends Error {
  override readonly name = 'Untold';
}

/** Where a story is told: a group of its own, its cast, and what becomes of them. All else in the world goes on meanwhile. */
export class Stage {
  #written = 0;

  constructor(
    readonly simulation: Simulation,
    readonly random: Random,
    readonly adversary?: Adversary,
  ) {}

  /** Nothing but the story happens: the network is well, and everyone is there. */
  async calm(): Promise<void> {
    this.simulation.server.weather = CALM_SERVER;
    for (const device of this.simulation.devices) await device.recover();
    await this.pass(10_000);
  }

  pass(ms: number): Promise<void> {
    return this.simulation.pass(ms);
  }

  /** What the story needs in order to go on. */
  async until(isSo: () => boolean): Promise<void> {
    if (!(await this.#becomesSo(isSo, LONG_MS))) throw new Untold('it took too long');
  }

  /** What the rules promise. */
  async expect(isSo: () => boolean, what: string, withinMs: number): Promise<void> {
    if (await this.#becomesSo(isSo, withinMs)) return;
    this.simulation.ledger.violate('nothing-left', `not so after ${withinMs / 60_000} minutes: ${what}`);
  }

  async #becomesSo(isSo: () => boolean, withinMs: number): Promise<boolean> {
    const { schedule } = this.simulation;
    for (const end = schedule.now + withinMs; !isSo(); await this.pass(SLICE_MS))
      if (schedule.now > end || this.simulation.isStorm) return false;
    return true;
  }

  // --- who

  /** A device of another account for each role; the first is a contact of all others. Nobody hostile is among them. */
  cast<Role extends string>(...roles: Role[]): Record<Role, Device> {
    const people = this.people();
    for (const first of people) {
      const cast = [first, ...people.filter((each) => this.areContacts(first, each))].slice(0, roles.length);
      if (cast.length === roles.length) return Object.fromEntries(roles.map((role, i) => [role, cast[i]!])) as Record<Role, Device>;
    }
    throw new Untold('there are not so many people');
  }

  /** One device of each account, in any order; of the hostile device's account none. */
  people(): Device[] {
    const hostile = this.adversary?.device.identity.account;
    const byAccount = new Map(this.#alive().map((device) => [device.identity.account, device]));
    if (hostile !== undefined) byAccount.delete(hostile);
    return this.random.shuffled([...byAccount.values()]);
  }

  areContacts(one: Device, other: Device): boolean {
    return this.simulation.areContacts(one.identity.account, other.identity.account);
  }

  devicesOf({ identity: { account } }: Device): Device[] {
    return this.#alive().filter((each) => each.identity.account === account);
  }

  #alive(): Device[] {
    return this.simulation.devices.filter(({ dead, online }) => !dead && online);
  }

  // --- what they do

  /** A group of the founder's and these people's devices, in which all of them have arrived. */
  async found(founder: Device, others: readonly Device[]): Promise<string> {
    const accounts = others.map(({ identity }) => identity.account);
    const id = await founder.step('create a group', (messenger, step) => messenger.createGroup('story', accounts, step));
    if (id === undefined) throw new Untold('no group');
    await this.until(() => this.agree(id, [founder, ...others]));
    return id;
  }

  async wish(device: Device, group: string, intent: Intent): Promise<void> {
    await device.step(`wish to ${intent.kind}`, (messenger, step) => messenger.wish(group, intent, step));
  }

  /** One commit after the other, by the members of this device's head. */
  async commit(device: Device, group: string, count = 1): Promise<void> {
    for (let i = 0; i < count; i++) {
      const before = this.core(device, group).head;
      await this.wish(device, group, { kind: 'refresh', id: Buffer.from(this.random.bytes(16)).toString('hex') });
      await this.until(() => this.core(device, group).head !== before);
    }
  }

  /** Returns its content id. */
  async write(device: Device, group: string): Promise<string> {
    const content = await device.write(group, text.encode(`story ${++this.#written}`));
    if (content === undefined) throw new Untold('nothing written');
    return content;
  }

  /** Until they are let together, nothing passes between these and all others. */
  keepApart(...devices: readonly Device[]): void {
    this.simulation.trace.note('', `apart: ${devices.map(({ name }) => name).join(', ')}`);
    this.simulation.server.keepApart(devices.map(({ identity }) => identity.device));
  }

  /** What is under way is lost, and whoever is there sends it again. */
  crashRelay(): void {
    this.simulation.counters.count('relay-crash');
    this.simulation.server.relay.crash();
  }

  letTogether(): void {
    this.simulation.trace.note('', 'together');
    this.simulation.server.keepApart();
  }

  // --- what they know

  core(device: Device, group: string): GroupCore {
    const core = device.messenger?.unsafeGroup(group)?.core;
    if (core === undefined) throw new Untold(`${device.name} is not there`);
    return core;
  }

  /** From its head down. */
  path(device: Device, group: string): string[] {
    const { branches, head } = this.core(device, group);
    return branches.tree.path(head);
  }

  /** They have one head, in which all of them are, and may write. */
  agree(group: string, devices: readonly Device[]): boolean {
    const cores = devices.map(({ messenger }) => messenger?.unsafeGroup(group)?.core);
    return cores.every((core) => {
      const isHeadOfAll = core !== undefined && core.head === cores[0]?.head && core.hold === undefined;
      return isHeadOfAll && devices.every(({ identity }) => core.member(identity.device) !== undefined);
    });
  }

  knows(device: Device, group: string): boolean {
    return device.messenger?.unsafeGroup(group) !== undefined;
  }

  has(device: Device, group: string, member: Device): boolean {
    return this.core(device, group).member(member.identity.device) !== undefined;
  }

  wasShown(device: Device, content: string): boolean {
    return device.history().some((each) => each.content === content);
  }
}
