import type { Member } from '@sotto/mls';
import { fromHex, toHex } from '@sotto/protocol';
import type { Contents } from '../groups/contents.js';
import type { Group } from '../groups/group.js';
import { capabilityOf } from '../groups/group-core.js';
import type { Step } from '../groups/group-ports.js';
import type { Outbox } from '../outbox/outbox.js';
import { isWithNobody } from '../outbox/outbox-entry.js';
import type { MessengerPorts } from './messenger-ports.js';

const GROUP_ID_BYTES = 32;

/** The groups of two accounts: which of them is written in, and what goes over from one to the next. */
export class DirectConversations {
  constructor(
    private readonly ports: MessengerPorts,
    private readonly outbox: Outbox,
    private readonly contents: Contents,
    private readonly groups: ReadonlyMap<string, Group>,
  ) {}

  /** All there ever were with this account. */
  with(account: string): Group[] {
    return [...this.groups.values()].filter(({ core }) => core.data.kind === 'direct' && core.data.accounts.includes(account));
  }

  /** Of two groups for a pair both ends write in the one with the lower id. */
  current(account: string): string | undefined {
    return this.with(account)
      .filter(({ core }) => !core.retired && !core.expelled && !core.branches.removedHere)
      .map(({ id }) => id)
      .sort()[0];
  }

  otherEnd(group: string): string | undefined {
    const { core } = this.groups.get(group) ?? {};
    return core?.data.kind === 'direct' ? core.data.accounts.find((account) => account !== this.ports.own.account) : undefined;
  }

  /** Below those before it: so the other end writes in the new one as well. */
  newId(account: string): Uint8Array {
    const lowest = this.with(account)
      .map(({ id }) => id)
      .sort()[0];
    if (lowest === undefined) return this.ports.random(GROUP_ID_BYTES);
    const below = BigInt(`0x${toHex(this.ports.random(2 * GROUP_ID_BYTES))}`) % BigInt(`0x${lowest}`);
    return fromHex(below.toString(16).padStart(2 * GROUP_ID_BYTES, '0'));
  }

  /** Those there are will only be read from now on. */
  retire(account: string, step: Step): void {
    for (const group of this.with(account)) group.retire(step);
  }

  /** The capability ids under which the account reaches this device there. */
  capabilitiesOf(account: string): string[] {
    return this.with(account).flatMap(({ core: { ownLeaf } }) => (ownLeaf === undefined ? [] : capabilityOf(ownLeaf)));
  }

  /**
   * A new group of two: one that is made by a device in none that is written replaces those before it. Returns whether the other account, which made
   * it, had other devices there, and not this one.
   */
  async begun(group: Group, { identity }: Member, step: Step): Promise<boolean> {
    const account = this.otherEnd(group.id);
    if (account === undefined) return false;
    const before = this.with(account).filter((each) => each !== group);
    const isWritten = before.some(({ core }) => !core.retired && core.member(identity.device) !== undefined);
    if (!isWritten) for (const each of before) each.retire(step);
    await this.writeIn(group, account, step);
    if (identity.account !== account) return false;
    const everThere = before.flatMap(({ core }) => [...core.members, ...core.branches.membership.former()]);
    const theirs = everThere.filter((each) => each.identity.account === account);
    return theirs.length > 0 && !theirs.some((each) => each.identity.device === identity.device);
  }

  /**
   * What waited for a conversation with the account, and what reached none of its devices in those before: these may be over at the other end, which
   * does not tell when it blocks or removes. There it stays owed to whom it was sealed for, until that one has it from either: not all who read there
   * need come into the new one.
   */
  async writeIn(group: Group, account: string, step: Step): Promise<void> {
    if (this.current(account) !== group.id) return;
    for (const [id, content] of [...this.contents.all()]) {
      const lost = content.group !== undefined && content.group !== group.id && this.otherEnd(content.group) === account;
      if (content.account !== account && !lost) continue;
      if (content.owed?.size === 0) continue;
      this.groups.get(content.group ?? '')?.forgetUnsealed(id);
      this.contents.put(id, { ...content, group: group.id, account: undefined }, step);
      await group.compose(id, step);
    }
  }

  /** What the one account was not given waits for a conversation with the other. */
  readdress(before: string, account: string, step: Step): void {
    for (const [id, { group, account: to, plaintext, at, owed }] of [...this.contents.all()]) {
      const isOwed = to === before || (this.otherEnd(group ?? '') === before && owed?.size !== 0);
      if (!isOwed) continue;
      this.#takeOut(id, step);
      this.contents.put(id, { account, plaintext, at }, step);
    }
  }

  #takeOut(content: string, step: Step): void {
    for (const id of [...this.contents.entriesOf(content)]) {
      const entry = this.outbox.get(id);
      if (entry !== undefined && isWithNobody(entry)) this.groups.get(entry.group)?.withhold(entry.payload, step);
      this.outbox.withdraw(id);
      this.contents.settled(content, id);
    }
    for (const each of this.groups.values()) each.forget(content);
  }
}
