import type { LeafId } from '@sotto/mls';
import type { Content, Contents } from '../groups/contents.js';
import type { Group } from '../groups/group.js';
import type { Step } from '../groups/group-ports.js';
import type { Outbox, OutboxEffect } from '../outbox/outbox.js';
import { type DeliveryStatus, isWithNobody, type OutboxEntry, type RecipientState } from '../outbox/outbox-entry.js';
import type { DirectConversations } from './direct-conversations.js';
import type { MessengerPorts } from './messenger-ports.js';

/** Between new conversations with a contact whose device could not open the Welcome to the one before; then doubled. */
const FIRST_RENEWAL_MS = 15_000;
const LAST_RENEWAL_MS = 3_600_000;
const MOST_RENEWED = 1_000;

/** What follows from the fate of what was sent: in its group, for its content, and for the user. */
export class Deliveries {
  /** Contents of which something was given up in this step. */
  readonly #givenUp = new Set<string>();
  /** By account, or group and device: when its conversation or leaf was last made anew, and how long the next waits. */
  readonly #renewed = new Map<string, { readonly at: number; readonly waitMs: number }>();
  /** Accounts with which a new direct conversation is to begin, as the Welcome to the one before can't be opened. */
  readonly #toRenew = new Set<string>();

  constructor(
    private readonly ports: MessengerPorts,
    private readonly outbox: Outbox,
    private readonly contents: Contents,
    private readonly groups: ReadonlyMap<string, Group>,
    private readonly directs: DirectConversations,
  ) {}

  /** Returns the group in which something may have to follow. */
  apply(effect: OutboxEffect, step: Step): Group | undefined {
    const { entry } = effect;
    const group = this.groups.get(entry.group);
    switch (effect.kind) {
      case 'won':
        group?.won(entry.state, step);
        return group;
      case 'taken':
        if (group?.taken(entry.state, effect.by, step) !== true) this.outbox.withdraw(entry.id);
        return group;
      case 'delivered':
        group?.show(effect.to.leaf, step);
        if (entry.content !== undefined) {
          this.contents.delivered(entry.content, effect.to.account, step);
          this.#excuseElsewhere(entry.content, entry, effect.to.device);
        }
        this.#moved(entry, step);
        return undefined;
      case 'cannot':
        return this.#cannot(entry, effect.to, group, step);
      case 'undelivered':
        if (entry.content !== undefined && this.contents.isOwed(entry.content, effect.to.account))
          this.#tell({ group: entry.group }, entry.content, 'undelivered', step);
        group?.sync.missed(effect.to.device, step);
        this.#moved(entry, step);
        return undefined;
      case 'refused':
        if (entry.kind === 'commit') group?.refused(entry.state, step);
        this.#moved(entry, step);
        return group;
      case 'moved':
        this.#moved(entry, step);
        return undefined;
    }
  }

  /** A leaf that is gone is owed nothing more; its account's message is given, unless another of its devices has yet to get it. */
  release(group: string, leaf: LeafId, step: Step): void {
    for (const entry of this.outbox.release(group, leaf)) {
      const theirs = [...entry.recipients.values()].find((each) => each.leaf === leaf);
      const isStillThere = theirs && this.groups.get(entry.group)?.core.members.some(({ identity }) => identity.account === theirs.account);
      if (theirs && entry.content !== undefined && !isStillThere && !this.#isOwedElsewhere(entry.content, entry, theirs.account))
        this.contents.delivered(entry.content, theirs.account, step);
      this.#moved(entry, step);
    }
  }

  /** In the conversation that it has gone on to, or in one before that. */
  #isOwedElsewhere(content: string, { id, group }: OutboxEntry, account: string): boolean {
    if (this.contents.get(content)?.group !== group) return true;
    const others = [...this.contents.entriesOf(content)].filter((each) => each !== id);
    return others.some((each) => [...(this.outbox.get(each)?.open ?? [])].some((to) => to.account === account));
  }

  /** Whoever has it by this entry is owed it no more in the conversation before, nor in the one that has taken its place. */
  #excuseElsewhere(content: string, { group }: OutboxEntry, device: string): void {
    // Nothing else takes another's place.
    if (this.groups.get(group)?.core.data.kind !== 'direct') return;
    for (const id of [...this.contents.entriesOf(content)]) {
      if (this.outbox.get(id)?.group === group) continue;
      this.outbox.excuse(id, device);
      if (this.outbox.get(id) === undefined) this.contents.settled(content, id);
    }
    for (const each of this.groups.values()) if (each.id !== group) each.forgetFor(content, device);
  }

  /** Without the rule `onceOwedOwed`. */
  forgetOffHead(step: Step): void {
    for (const { group: id, open } of [...this.outbox.entries()]) {
      const group = this.groups.get(id);
      const offHead = group === undefined ? [] : [...open].filter(({ device }) => group.core.member(device) === undefined);
      for (const { leaf } of offHead) this.release(id, leaf, step);
    }
  }

  /** The accounts with which a direct conversation is to begin anew. */
  takeToRenew(): string[] {
    const accounts = [...this.#toRenew];
    this.#toRenew.clear();
    return accounts;
  }

  statusOf(content: string): DeliveryStatus {
    return this.contents.statusOf(content, (id) => this.outbox.get(id));
  }

  tellStatus(content: string, step: Step): void {
    const status = this.contents.changedStatus(content, (id) => this.outbox.get(id));
    if (status !== undefined) this.#tell(this.contents.get(content) ?? {}, content, status, step);
  }

  /** The user wants it to be tried at once, whatever it waits for. */
  resend(content: string, step: Step): void {
    for (const entry of this.contents.entriesOf(content)) this.outbox.resend(entry);
    this.tellStatus(content, step);
  }

  /** The user gave it up. What is on its way may still arrive, and what somebody has he may hand on. */
  discard(content: string, step: Step): void {
    const known = this.contents.get(content);
    if (known === undefined) return;
    const entries = [...this.contents.entriesOf(content)].flatMap((id) => this.outbox.get(id) ?? []);
    if (entries.every(isWithNobody)) for (const { group, payload } of entries) this.groups.get(group)?.withhold(payload, step);
    for (const { id } of entries) this.outbox.withdraw(id);
    for (const group of this.groups.values()) group.forget(content);
    this.contents.forget(content, step);
    this.#tell(known, content, 'discarded', step);
  }

  #cannot(entry: OutboxEntry, to: RecipientState, group: Group | undefined, step: Step): Group | undefined {
    if (entry.kind === 'message' && entry.content !== undefined && this.contents.get(entry.content) !== undefined) {
      group?.sealAgain(entry.content, to, step);
      // It could read nothing that was sealed for it since, and does not ask to be let in again: its store has lost the group.
      if (group?.isLostTo(entry.content, to) === true) this.#giveUpOn(group, to, step);
    }
    // The key package to which it was sealed is lost.
    if (entry.kind === 'welcome' && group !== undefined && (group.core.data.kind === 'direct' || group.core.unseen.has(to.leaf)))
      this.#replace(group, to, step);
    if (entry.kind === 'commit') group?.sync.cannotUse(to, step);
    group?.sync.missed(to.device, step);
    this.#moved(entry, step);
    return group;
  }

  #replace(group: Group, to: RecipientState, step: Step): void {
    const { account } = to;
    const isDirect = group.core.data.kind === 'direct' && account !== this.ports.own.account;
    if (!isDirect) return this.#replaceLeaf(group, to, step);
    if (this.directs.current(account) === group.id && this.#mayRenew(account, step)) this.#toRenew.add(account);
  }

  /** Where another conversation has taken the place of this one, no leaf is replaced for it. */
  #giveUpOn(group: Group, to: RecipientState, step: Step): void {
    if (group.core.retired) group.giveUp(to.device, step);
    else this.#replaceLeaf(group, to, step);
  }

  #replaceLeaf(group: Group, to: RecipientState, step: Step): void {
    if (group.core.retired) return;
    if (this.#isKnown(to, group) && this.#mayRenew(`${group.id}/${to.device}`, step)) group.replace(to);
  }

  /** Only then its key packages are to be had. */
  #isKnown({ account, device }: RecipientState, { core }: Group): boolean {
    return this.ports.trusts(account, core.member(device)?.identity.accountKey ?? new Uint8Array());
  }

  /** A device that can open nothing, whatever it is given, costs others ever less. */
  #mayRenew(what: string, { now }: Step): boolean {
    const { at, waitMs } = this.#renewed.get(what) ?? { at: 0, waitMs: FIRST_RENEWAL_MS };
    if (now - at < waitMs) return false;
    this.#renewed.delete(what);
    this.#renewed.set(what, { at: now, waitMs: Math.min(2 * waitMs, LAST_RENEWAL_MS) });
    if (this.#renewed.size > MOST_RENEWED) this.#renewed.delete(this.#renewed.keys().next().value!);
    return true;
  }

  #moved({ content, id }: OutboxEntry, step: Step): void {
    if (content === undefined || this.contents.get(content) === undefined) return;
    if (this.outbox.get(id) === undefined) this.contents.settled(content, id);
    this.tellStatus(content, step);
    this.#forgetIfDone(content, step);
  }

  /** It waits no more to be sealed once more for one of those that it is for. */
  givenUp(content: string): void {
    this.#givenUp.add(content);
  }

  /** At the end of a step, when it shows what waits for others. */
  forgetGivenUp(step: Step): void {
    for (const content of this.#givenUp) if (this.contents.get(content) !== undefined) this.#forgetIfDone(content, step);
    this.#givenUp.clear();
  }

  #forgetIfDone(content: string, step: Step): void {
    if (this.contents.entriesOf(content).size > 0 || this.isWaiting(content)) return;
    const given = this.statusOf(content) === 'delivered' ? undefined : this.contents.get(content);
    this.contents.forget(content, step);
    if (given !== undefined) this.#tell(given, content, 'discarded', step);
  }

  /** To be sealed: in its group, or once more in one that this has taken the place of. */
  isWaiting(content: string): boolean {
    return [...this.groups.values()].some((group) => group.isWaiting(content));
  }

  #tell({ group, account }: Pick<Content, 'group' | 'account'>, content: string, status: DeliveryStatus, step: Step): void {
    this.ports.notify({ kind: 'delivery', group, account, content, status }, step);
  }
}
