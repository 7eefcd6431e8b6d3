import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Member, MlsError, type Opened, type StateId } from '@sotto/mls';
import { type ApplicationEnvelope, EnvelopeSchema, fromHex, ID_BYTES, MessageAuthenticatedDataSchema, toHex } from '@sotto/protocol';
import type { Contents } from './contents.js';
import type { GroupCore } from './group-core.js';
import type { Recipient, Step } from './group-ports.js';
import type { ToSeal } from './group-record.js';
import type { LoggedMessage } from './message-log.js';
import { commitId } from './stored-commit.js';

/** So often a message is sealed again at once for one leaf that can't read it; then after waits that double. */
const TRIES_AT_ONCE = 3;
const FIRST_WAIT_MS = 600_000;
const LAST_WAIT_MS = 86_400_000;
/** After this it is given up for whoever could not read it and has no new leaf. */
const KEPT_MS = 14 * 86_400_000;

/** `stored`: durable with this step, or was before. `cannot`: the keys are gone. Else it is to be kept until that state is here. */
export type Read = 'stored' | 'cannot' | { readonly waitsFor: StateId };

type OpenedMessage = Extract<Opened, { kind: 'application' }>;

/** Seals what the user writes, for those who may read it, and opens what others have sealed (docs/groups.md § Choosing between branches). */
export class Sealing {
  constructor(
    private readonly core: GroupCore,
    private readonly contents: Contents,
  ) {}

  // --- writing

  /** For all members, as soon as it may be. */
  async compose(content: string, step: Step): Promise<void> {
    const { core } = this;
    const isNext = core.toSeal.every(({ device }) => device !== undefined);
    if (isNext && this.#mayAddress(core.others) && core.hold === undefined) return this.#seal({ content, tries: 0 }, core.others, step);
    core.toSeal.push({ content, tries: 0 });
    core.touch();
    this.#tellWaiting(content, step);
  }

  later(content: string): void {
    if (this.core.toSeal.some((each) => each.content === content)) return;
    this.core.toSeal.push({ content, tries: 0 });
    this.core.touch();
  }

  /** Once more, for a device that could not read it. */
  again(content: string, to: Recipient, { now }: Step): void {
    const { core } = this;
    const before = core.toSeal.find((each) => each.content === content && each.device === to.device);
    if (before !== undefined) return;
    const tries = 1 + this.contents.triesFor(content, to.device, to.leaf);
    const notBefore = tries > TRIES_AT_ONCE ? now + waitAfter(tries - TRIES_AT_ONCE) : undefined;
    core.toSeal.push({ content, device: to.device, tries, leaf: to.leaf, notBefore });
    core.touch();
  }

  /** That leaf, which is in the head, could not read it as often as it was sealed for it at once. */
  isLostTo(content: string, { device, leaf }: Recipient): boolean {
    return this.core.member(device)?.id === leaf && this.contents.triesFor(content, device, leaf) >= TRIES_AT_ONCE;
  }

  /** @param isDone by the device for which alone it waits; undefined: for all members */
  forget(content: string, isDone: (device: string | undefined) => boolean): void {
    const { core } = this;
    const left = core.toSeal.filter((each) => each.content !== content || !isDone(each.device));
    if (left.length === core.toSeal.length) return;
    core.toSeal = left;
    core.touch();
  }

  /** What was sealed, and has reached nobody, is to reach nobody. @param payload of its envelope */
  withhold(payload: Uint8Array, step: Step): void {
    const { kind } = fromBinary(EnvelopeSchema, payload);
    if (kind.case === 'application') this.core.log.withhold(this.#idOf(kind.value.message), step);
  }

  /** Seals what waits, if it may be sealed now. */
  async flush(step: Step): Promise<void> {
    const { core } = this;
    const { hold } = core;
    if (hold === 'removal') core.ports.count('held-back');
    const waiting = core.toSeal;
    core.toSeal = [];
    for (const each of waiting) {
      const isDone = this.#isPast(each, step) || (hold === undefined && (await this.#trySeal(each, step)));
      if (!isDone) core.toSeal.push(each);
    }
    if (core.toSeal.length !== waiting.length) core.touch();
  }

  /** Whether it is to be sealed for nobody any more. */
  #isPast({ content: id, device, leaf }: ToSeal, step: Step): boolean {
    const { core } = this;
    const content = this.contents.get(id);
    if (content === undefined) return true;
    const isOld = step.now - content.at >= KEPT_MS;
    if (device === undefined) {
      // Nobody comes any more for whom it could be sealed, or whoever it was for has it from the conversation before.
      const isInVain = isOld && (core.retired || core.gone || content.owed?.size === 0);
      if (isInVain) core.ports.givenUp(id);
      return isInVain;
    }
    if (core.member(device) === undefined && leaf !== undefined && core.branches.tree.removed.has(leaf)) {
      core.ports.givenUp(id);
      return true;
    }
    if (isOld) this.#tellGivenUp(id, device, step);
    return isOld;
  }

  /** True when it waits no more. */
  async #trySeal(waiting: ToSeal, step: Step): Promise<boolean> {
    const { core } = this;
    if (waiting.device === undefined) {
      if (!this.#mayAddress(core.others)) return false;
      await this.#seal(waiting, core.others, step);
      return true;
    }
    const member = core.member(waiting.device);
    const isTooSoon = member?.id === waiting.leaf && step.now < (waiting.notBefore ?? 0);
    if (member === undefined || isTooSoon) return false;
    core.ports.count('sealed-again');
    await this.#seal(waiting, [member], step);
    return true;
  }

  /** What waits to be sealed once more for this device alone; without one, for whichever. */
  giveUp(to: string | undefined, step: Step): void {
    const { core } = this;
    const isGiven = ({ device }: ToSeal) => device !== undefined && (to === undefined || device === to);
    const given = core.toSeal.filter(isGiven);
    if (given.length === 0) return;
    core.toSeal = core.toSeal.filter((each) => !isGiven(each));
    core.touch();
    for (const { content, device } of given) this.#tellGivenUp(content, device!, step);
  }

  #tellGivenUp(content: string, device: string, step: Step): void {
    const { id, ports } = this.core;
    ports.givenUp(content);
    ports.notify({ kind: 'given-up', group: id, content, device }, step);
  }

  /** A message to oneself alone waits for the first other member, one of a conversation of two for the other account. */
  #mayAddress(others: readonly Member[]): boolean {
    const { data, ports } = this.core;
    return data.kind === 'direct' ? others.some(({ identity }) => identity.account !== ports.own.account) : others.length > 0;
  }

  async #seal({ content, device, tries }: ToSeal, to: readonly Member[], step: Step): Promise<void> {
    const { core, contents } = this;
    const { engine } = core.ports;
    const id = create(MessageAuthenticatedDataSchema, { contentId: fromHex(content), onlyFor: fromHex(device ?? '') });
    const { plaintext } = contents.get(content)!;
    const sealed = await engine.seal(core.branches.state(core.head)!, plaintext, toBinary(MessageAuthenticatedDataSchema, id));
    core.branches.useState(core.head, sealed.state, step);
    core.log.add(this.#idOf(sealed.message), logged(core.head, sealed.message, device !== undefined, step), step);
    const recipients = recipientsOf(to);
    if (device !== undefined) contents.tried(content, recipients[0]!, tries);
    const payload = applicationEnvelope(core.head, sealed.message);
    const dispatch = core.ports.dispatch({ kind: 'message', group: core.id, content, payload, recipients, state: core.head }, step);
    contents.dispatched(content, dispatch, recipients, step);
  }

  #tellWaiting(content: string, step: Step): void {
    const cause = this.core.hold ?? 'alone';
    this.core.ports.notify({ kind: 'waiting', group: this.core.id, content, cause }, step);
  }

  // --- reading

  async read({ state: hint, message }: ApplicationEnvelope, step: Step): Promise<Read> {
    const { core } = this;
    const state = toHex(hint);
    const id = this.#idOf(message);
    if (core.log.has(id)) return 'stored';
    const held = await core.branches.reach(state, step);
    if (held === undefined) return this.#isLost(state, message) ? 'cannot' : { waitsFor: state };
    try {
      const opened = await core.ports.engine.open(held, message);
      if (opened.kind !== 'application') return 'cannot';
      this.#opened(opened, state, { id, bytes: message }, step);
      return 'stored';
    } catch (error) {
      if (!(error instanceof MlsError)) throw error;
      return this.#unreadable(error, state);
    }
  }

  /** Who is out catches up with nothing more. Who waits for a Welcome can't tell yet: it may lead to that state, or beyond it. */
  #isLost(state: StateId, message: Uint8Array): boolean {
    const { out, awaitsWelcome, branches } = this.core;
    return out || (!awaitsWelcome && branches.isPast(state, message));
  }

  #opened(opened: OpenedMessage, state: StateId, { id, bytes }: { id: string; bytes: Uint8Array }, step: Step): void {
    const { core } = this;
    core.branches.useState(state, opened.state, step);
    const { content, onlyFor } = labelOf(opened.authenticatedData);
    core.log.add(id, logged(state, bytes, onlyFor !== undefined, step), step);
    const sender = core.branches.members(state).find(({ leaf }) => leaf === opened.senderLeaf)!;
    core.show(sender.id);
    core.ports.sighted(sender.identity.device, step);
    const isMeant = onlyFor === undefined || onlyFor === core.ports.own.device;
    if (content === undefined || !isMeant || !this.contents.see(sender.identity.device, content, step) || core.leaving) return;
    const { account, device, accountName: name } = sender.identity;
    core.ports.notify({ kind: 'message', group: core.id, from: { account, device, name }, content, plaintext: opened.plaintext }, step);
  }

  #unreadable({ reason }: MlsError, state: StateId): Read {
    const { core } = this;
    // This device does not know of a message of its own: its store is of an earlier time.
    if (reason === 'own-message-ahead') core.die('rolled-back', state);
    if (reason === 'own-message' || reason === 'own-message-ahead') return 'stored';
    // Not the message that the generation was used for, or the log would have it.
    if (reason === 'used-generation' && !core.ports.rules.usedGenerationByHash) return 'stored';
    return 'cannot';
  }

  #idOf(message: Uint8Array): string {
    return commitId(message, this.core.ports.provider);
  }
}

export function applicationEnvelope(state: StateId, message: Uint8Array): Uint8Array {
  const value = { state: fromHex(state), message };
  return toBinary(EnvelopeSchema, create(EnvelopeSchema, { kind: { case: 'application', value } }));
}

export function commitEnvelope(parent: StateId, message: Uint8Array): Uint8Array {
  const value = { parent: fromHex(parent), message };
  return toBinary(EnvelopeSchema, create(EnvelopeSchema, { kind: { case: 'commit', value } }));
}

export function recipientsOf(members: readonly Member[]): Recipient[] {
  return members.map(({ id, identity, address }) => ({
    device: address.device,
    token: address.token,
    account: identity.account,
    leaf: id,
  }));
}

function logged(state: StateId, bytes: Uint8Array, alone: boolean, { now }: Step): LoggedMessage {
  return alone ? { state, bytes: new Uint8Array(), at: now, alone } : { state, bytes, at: now };
}

function waitAfter(tries: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** (tries - 1), LAST_WAIT_MS);
}

interface Label {
  /** Absent where it is none that could be shown. */
  readonly content?: string;
  readonly onlyFor?: string;
}

function labelOf(authenticatedData: Uint8Array): Label {
  try {
    const { contentId, onlyFor } = fromBinary(MessageAuthenticatedDataSchema, authenticatedData);
    return {
      ...(contentId.length === ID_BYTES && { content: toHex(contentId) }),
      ...(onlyFor.length > 0 && { onlyFor: toHex(onlyFor) }),
    };
  } catch {
    return {};
  }
}
