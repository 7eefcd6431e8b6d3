import { fromBinary } from '@bufbuild/protobuf';
import { MlsError } from '@sotto/mls';
import {
  type Envelope,
  EnvelopeSchema,
  type GreetingEnvelope,
  type HelloEnvelope,
  Outcome,
  type SupplyEnvelope,
  toHex,
  type TypingEnvelope,
  type WelcomeEnvelope,
} from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import type { Begun, Group } from '../groups/group.js';
import type { Step } from '../groups/group-ports.js';
import { Later, type LaterRecord } from '../groups/later.js';
import { commitId } from '../groups/stored-commit.js';
import type { DirectConversations } from './direct-conversations.js';
import type { Invitations } from './invitations.js';
import type { Joining, Welcomed } from './joining.js';
import { type MessengerPorts, transmit } from './messenger-ports.js';
import { UnknownGroups } from './unknown-groups.js';

/** Of groups that this device does not know: their Welcome may be on its way. */
const STRAYS = { count: 200, bytes: 4 * 1024 * 1024 };

/**
 * Where what others send comes in: each envelope goes to the group that it is of, and a Welcome, followed or accepted, makes one. What is of a
 * group that is not known waits for its Welcome.
 */
export class Inbox {
  readonly #unknown = new UnknownGroups();
  #strays = new Later('', STRAYS);

  constructor(
    private readonly ports: MessengerPorts,
    private readonly groups: ReadonlyMap<string, Group>,
    private readonly directs: DirectConversations,
    private readonly joining: Joining,
    private readonly invitations: Invitations,
    /** Makes the group one of the device's own. */
    private readonly begin: (begun: Begun, step: Step) => Promise<Group>,
  ) {}

  /** What the store held of groups that are not known. */
  restore(later: Iterable<readonly [string, LaterRecord]>): void {
    const strays = [...later].filter(([key]) => key.startsWith('/'));
    this.#strays = new Later(
      '',
      STRAYS,
      strays.map(([key, record]) => [key.slice(1), record] as const),
    );
  }

  disconnected(): void {
    this.#strays.forgetHandles();
  }

  /** One delivery. It is answered when the step is durable. */
  async receive(handle: bigint, payload: Uint8Array, step: Step): Promise<void> {
    const envelope = parse(payload);
    const outcome = envelope === undefined ? Outcome.CANNOT : await this.#receive(envelope.kind, payload, handle, step);
    if (outcome !== Outcome.LATER || this.ports.rules.later) this.#answer(handle, outcome, step);
  }

  async #receive(kind: Envelope['kind'], payload: Uint8Array, handle: bigint | undefined, step: Step): Promise<Outcome> {
    switch (kind.case) {
      case 'welcome':
        return this.#welcome(kind.value, payload, step);
      case 'application':
      case 'commit':
        return this.#message(kind, payload, handle, step);
      case 'hello':
        await this.#hello(kind.value, step);
        return Outcome.STORED;
      case 'supply':
        await this.#supply(kind.value, step);
        return Outcome.STORED;
      case 'greeting':
        await this.#greeting(kind.value, step);
        return Outcome.STORED;
      case 'typing':
        await this.#typing(kind.value, step);
        return Outcome.STORED;
      default:
        return Outcome.CANNOT;
    }
  }

  async #message(
    kind: Envelope['kind'] & { case: 'application' | 'commit' },
    payload: Uint8Array,
    handle: bigint | undefined,
    step: Step,
  ): Promise<Outcome> {
    const id = this.#groupOf(kind.value.message);
    if (id === undefined) return Outcome.CANNOT;
    const group = this.groups.get(id);
    if (group === undefined) return this.#stray(id, payload, handle, step);
    const outcome = await group.receive(kind, payload, handle, step);
    await group.settle(step);
    return outcome;
  }

  /** Of a group that is not known: kept as long as its Welcome, a greeting or the user's leave may come. After that this device is lost to it. */
  #stray(group: string, payload: Uint8Array, handle: bigint | undefined, step: Step): Outcome {
    if (this.#unknown.isLost(group, step.now) && !this.invitations.has(group)) return Outcome.CANNOT;
    this.#strays.keep(commitId(payload, this.ports.provider), { payload, waitsFor: group }, handle, step);
    return Outcome.LATER;
  }

  async #hello(envelope: HelloEnvelope, step: Step): Promise<void> {
    const group = this.groups.get(toHex(envelope.group));
    const heard = group?.sync.open(envelope);
    if (group === undefined || heard === undefined) return;
    await group.sync.hear(heard.hello, heard.from, step);
    await group.settle(step);
  }

  async #supply({ group: id, envelopes }: SupplyEnvelope, step: Step): Promise<void> {
    const group = this.groups.get(toHex(id));
    if (group === undefined) return;
    for (const payload of envelopes) {
      const kind = parse(payload)?.kind;
      if (kind?.case !== 'application' && kind?.case !== 'commit') continue;
      if (this.#groupOf(kind.value.message) !== group.id) continue;
      const outcome = await group.receive(kind, payload, undefined, step);
      if (outcome === Outcome.STORED) this.ports.count(kind.case === 'commit' ? 'supplied-commit' : 'supplied-message');
    }
    // Not before: what this device would commit or seal between them may belong to a past that the next one proves.
    await group.settle(step);
  }

  async #greeting({ sealed }: GreetingEnvelope, step: Step): Promise<void> {
    const greeting = this.joining.openGreeting(sealed);
    if (greeting === undefined) return;
    const group = this.groups.get(toHex(greeting.group));
    const to = { device: toHex(greeting.sender), token: greeting.token };
    if (group === undefined || group.core.branches.removedHere) {
      if (group?.core.leaving !== true) transmit(this.ports, await this.joining.askIn(greeting, step), [to], step);
    } else if (group.disowns(to.device)) transmit(this.ports, this.joining.disown(greeting), [to], step);
    else group.answerGreeting(to, step);
  }

  async #typing(envelope: TypingEnvelope, step: Step): Promise<void> {
    const group = toHex(envelope.group);
    const member = await this.groups.get(group)?.typing.hear(envelope, step);
    if (member === undefined) return;
    const { account, device, accountName: name } = member.identity;
    this.ports.notify({ kind: 'typing', group, from: { account, device, name } }, step);
  }

  #groupOf(message: Uint8Array): string | undefined {
    try {
      return toHex(this.ports.engine.peek(message).groupId);
    } catch (error) {
      if (error instanceof MlsError) return undefined;
      throw error;
    }
  }

  #answer(handle: bigint, outcome: Outcome, step: Step): void {
    step.journal.afterwards(() => this.ports.ack(handle, outcome));
  }

  // --- being let in

  async #welcome(envelope: WelcomeEnvelope, payload: Uint8Array, step: Step): Promise<Outcome> {
    const id = commitId(envelope.commit?.message ?? new Uint8Array(), this.ports.provider);
    const known = this.groups.get(this.#groupOf(envelope.commit?.message ?? new Uint8Array()) ?? '');
    if (known?.knows(id) === true) return Outcome.STORED;
    try {
      const welcomed = await this.joining.open(envelope);
      if (known === undefined && !this.invitations.mayJoin(welcomed)) return this.invitations.keep(welcomed, payload, step);
      if (known !== undefined && !known.welcomes(welcomed.state)) return Outcome.STORED;
      await this.#join(welcomed, step);
      return Outcome.STORED;
    } catch (error) {
      if (!(error instanceof MlsError)) throw error;
      if (error.reason === 'no-key-package') this.ports.stock.outdated(step.journal);
      return Outcome.CANNOT;
    }
  }

  async #join(welcomed: Welcomed, step: Step): Promise<void> {
    const { group: id, by } = welcomed;
    const known = this.groups.get(id);
    if (known !== undefined) await known.letInAgain(welcomed, step);
    const group = known ?? (await this.begin(welcomed, step));
    this.#unknown.forget(id);
    const lastResort = this.joining.spend(welcomed, step);
    if (lastResort) group.refresh();
    const replaces = known === undefined && (await this.directs.begun(group, by, step));
    this.ports.notify({ kind: 'joined', group: id, by, again: known !== undefined, replaces }, step);
    await this.#readStrays(id, step);
    group.sync.start(step);
    await group.settle(step);
  }

  /** What came before its Welcome. */
  async #readStrays(id: string, step: Step): Promise<void> {
    for (const [key, { payload }] of this.#strays.waitingFor(id)) {
      const kind = parse(payload)?.kind;
      if (kind === undefined) continue;
      const handle = this.#strays.take(key, step);
      const outcome = await this.#receive(kind, payload, handle, step);
      if (handle !== undefined && outcome !== Outcome.LATER) this.#answer(handle, outcome, step);
    }
  }

  /** Whoever is a contact now needs no leave to let this device in. */
  async contactAccepted(account: string, step: Step): Promise<void> {
    for (const group of this.invitations.by(account)) {
      const welcomed = await this.invitations.open(group);
      if (welcomed === undefined || !this.invitations.mayJoin(welcomed)) continue;
      this.invitations.forget(group, step);
      await this.#join(welcomed, step);
    }
  }

  /** The user knows who asks. Throws ClientError `unknown-group`. */
  async acceptInvitation(group: string, step: Step): Promise<void> {
    const welcomed = await this.invitations.open(group);
    if (welcomed === undefined || this.invitations.dataOf(welcomed.state).kind === 'direct')
      throw new ClientError('unknown-group', 'there is no such invitation, or it does not hold any more: ask to be added again');
    this.invitations.forget(group, step);
    await this.#join(welcomed, step);
  }

  /** Its device is a member already, so it leaves: or the others would owe it their messages, and it be sent them. */
  async declineInvitation(group: string, step: Step): Promise<void> {
    const welcomed = await this.invitations.open(group);
    this.invitations.forget(group, step);
    if (welcomed === undefined) return;
    const left = await this.begin(welcomed, step);
    this.joining.spend(welcomed, step);
    left.leave(step);
    await this.#readStrays(left.id, step);
    await left.settle(step);
  }
}

function parse(payload: Uint8Array): Envelope | undefined {
  try {
    return fromBinary(EnvelopeSchema, payload);
  } catch {
    return undefined;
  }
}
