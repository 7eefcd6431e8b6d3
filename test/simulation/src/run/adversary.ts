import { hasRight } from '@sotto/mls';
import type { Device } from '../devices/device.js';
import { Hostile, type Minted } from '../devices/hostile.js';
import type { Random } from '../random.js';
import type { Simulation } from './simulation.js';

/** The device in wrong hands, the group that it attacks, and how the others get rid of it. */
export class Adversary {
  readonly #hostile: Hostile;

  constructor(
    readonly device: Device,
    private readonly simulation: Simulation,
    /** Which group it attacks. */
    private group: () => string | undefined,
    random: Random,
  ) {
    this.#hostile = new Hostile(
      device,
      () => this.group(),
      () => this.isOut,
      random,
    );
  }

  /** In this group from now on: makes a branch of its own there. */
  outbid(group: string, from: string, length: number): Promise<void> {
    this.group = () => group;
    return this.#hostile.branch(from, length);
  }

  /** In this group from now on: makes many commits on one state. The best comes first. */
  mintSiblings(group: string, on: string, count: number): Promise<Minted[]> {
    this.group = () => group;
    return this.#hostile.siblings(on, count);
  }

  /** In this group from now on: makes a branch of its own, whose first commit only some can process. */
  divide(group: string, from: string, length: number): Promise<void> {
    this.group = () => group;
    return this.#hostile.spoiltBranch(from, length);
  }

  act(): Promise<void> {
    return this.#hostile.act();
  }

  /** Nobody has it in the group any more. */
  get isOut(): boolean {
    return this.#views().every(({ members }) => members.every(({ identity }) => identity.device !== this.device.identity.device));
  }

  /** Whoever may, wants it removed. */
  async expel(): Promise<void> {
    for (const { device, id, members, data } of this.#views()) {
      const mine = members.filter(({ identity }) => identity.device === this.device.identity.device);
      const isOwn = device.identity.account === this.device.identity.account;
      if (mine.length === 0 || !(isOwn || hasRight(data.mayRemove, device.identity.account, data, members))) continue;
      const leaves = mine.map((each) => each.id);
      await device.step('expel', (messenger, step) => messenger.wish(id, { kind: 'remove', leaves }, step));
    }
  }

  #views() {
    return this.simulation.devices.flatMap((device) => {
      if (device === this.device) return [];
      const views = device.messenger?.groups() ?? [];
      return views.filter(({ id, out }) => id === this.group() && !out).map((view) => ({ ...view, device }));
    });
  }
}
