import { create, toBinary } from '@bufbuild/protobuf';
import { type LeafId, type Member, MlsError, type OwnKeyPackage } from '@sotto/mls';
import { EnvelopeSchema, fromHex, type Greeting, GreetingSchema, type Hello, RejoinRequestSchema, toHex } from '@sotto/protocol';
import type { GroupCore } from './group-core.js';
import { addressOf } from './group-core.js';
import type { Step } from './group-ports.js';
import { type HelloKey, short } from './hello.js';
import { rejoinBytes } from './statements.js';

const OFFER_MS = 600_000;
const NONCE_BYTES = 16;
const KEY_BYTES = 32;
/** How long a new member may take to show itself before it is greeted, and how long between greetings. */
const FIRST_GREETING_MS = 60_000;
const LAST_GREETING_MS = 3_600_000;
/** Of one who seems to be away: presence may be wrong for good. */
const AWAY_PACE = 2;
const GREETING_LIFE_MS = 86_400_000;
const MOST_GREETINGS = 64;
const MOST_ASTRAY = 64;

interface Offer {
  readonly nonce: string;
  readonly until: number;
}

interface Greetings {
  /** When the next is due. Unix milliseconds. */
  readonly at: number;
  readonly waitMs: number;
}

interface Greeted {
  readonly key: Uint8Array;
  readonly member: Member;
  readonly until: number;
}

/** A key package that this device made in order to be let in (again), into a group. */
export interface JoinPackage extends OwnKeyPackage {
  readonly group: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Who can't follow by itself is removed and added again, by any member; who never showed itself is asked whether it knows the group at all. */
export class Rejoining {
  /** What this device has offered, by the device that asked. */
  readonly #offers = new Map<string, Offer>();
  readonly #greeted = new Map<string, Greeted>();
  readonly #greetings = new Map<LeafId, Greetings>();
  /** Apart: whoever comes at last is greeted as soon as if nobody had tried before. */
  readonly #greetingsAway = new Map<LeafId, Greetings>();
  /** Leaves of the head whose devices speak by other leaves, and since when. */
  readonly #astray = new Map<LeafId, number>();

  constructor(
    private readonly core: GroupCore,
    /** Whether the policy has this device let somebody in who is not in the head. */
    private readonly mayLetIn: (member: Member) => boolean,
  ) {}

  // --- helping others

  /** A nonce for the other to sign, if this device can help. */
  offerTo(asking: Member, step: Step): Uint8Array {
    const { core } = this;
    const { device } = asking.identity;
    const canHelp = core.mayCommit(step.now) && !core.wantsRejoin && (core.member(device) !== undefined || this.mayLetIn(asking));
    if (!canHelp) return new Uint8Array();
    const before = this.#offers.get(device);
    if (before !== undefined && before.until - step.now > OFFER_MS / 2) return fromHex(before.nonce);
    const nonce = core.ports.random(NONCE_BYTES);
    this.#offers.set(device, { nonce: toHex(nonce), until: step.now + OFFER_MS });
    return nonce;
  }

  /** The other has signed: it is wished that it is removed and added again. */
  async help(asking: Member, hello: Hello, step: Step): Promise<void> {
    const { core } = this;
    const { rejoin } = hello;
    if (rejoin === undefined || !this.#wasOffered(asking.identity.device, toHex(rejoin.nonce), step.now)) return;
    const { engine, own } = core.ports;
    const signed = engine.verify(asking.signatureKey, 'rejoin', rejoinBytes(core.id, rejoin.nonce, rejoin.keyPackage), rejoin.signature);
    const newLeaf = signed ? await this.#leafOf(asking, rejoin.keyPackage, step) : undefined;
    if (newLeaf === undefined || core.branches.tree.removed.has(newLeaf) || asking.identity.device === own.device) return;
    const { account, device } = asking.identity;
    const there = core.member(device);
    const asked = this.#askedFor(hello, toHex(rejoin.nonce)) ?? asking.id;
    const leaf = there !== undefined && this.#isAbandoned(there.id, step.now) ? there.id : asked;
    // Another leaf than the one that asked for it is there by now: somebody else has helped.
    if ((there !== undefined && there.id !== leaf) || core.branches.tree.removed.has(leaf)) return;
    this.#offers.delete(device);
    core.ports.count('rejoin-helped');
    core.intents = core.intents.filter((each) => each.kind !== 'rejoin' || each.device !== device);
    core.wish({ kind: 'rejoin', account, device, leaf, keyPackage: rejoin.keyPackage, newLeaf });
  }

  /** A member has spoken. By another leaf than the head has of it: its store may be older than that leaf. */
  hears(member: Member, spokenBy: LeafId, { now }: Step): void {
    if (spokenBy === member.id) this.#astray.delete(member.id);
    else if (!this.#astray.has(member.id)) this.#astray.set(member.id, now);
    if (this.#astray.size > MOST_ASTRAY) this.#astray.delete(this.#astray.keys().next().value!);
  }

  /** Nobody has shown himself by it for a while: its Welcome is lost, or was never made, or its device was rolled back behind it. */
  #isAbandoned(leaf: LeafId, now: number): boolean {
    const since = this.core.unseen.get(leaf) ?? this.#astray.get(leaf);
    return since !== undefined && now - since > FIRST_GREETING_MS;
  }

  /** The leaf for which another is asked: its own, or the one that was greeted. */
  #askedFor({ leaf }: Hello, nonce: string): LeafId | undefined {
    return this.#greeted.get(nonce)?.member.id ?? (leaf.length > 0 ? toHex(leaf) : undefined);
  }

  #wasOffered(device: string, nonce: string, now: number): boolean {
    const offer = this.#offers.get(device);
    if (offer?.nonce === nonce && offer.until > now) return true;
    const greeted = this.#greeted.get(nonce);
    return greeted?.member.identity.device === device && greeted.until > now;
  }

  /** The leaf that a key package makes. Undefined: it is not one of this member. */
  async #leafOf({ identity }: Member, keyPackage: Uint8Array, { now }: Step): Promise<LeafId | undefined> {
    try {
      const { identity: fresh, leafId } = await this.core.ports.engine.readKeyPackage(keyPackage, Math.floor(now / 1_000));
      const isSame = fresh.device === identity.device && fresh.account === identity.account;
      return isSame && toHex(fresh.accountKey) === toHex(identity.accountKey) ? leafId : undefined;
    } catch (error) {
      if (error instanceof MlsError) return undefined;
      throw error;
    }
  }

  // --- greeting

  /** Greets members that came and never showed themselves: perhaps their Welcome is lost with its author. */
  greet(step: Step): void {
    const { core } = this;
    if (!core.ports.rules.greet || core.out || core.dead || core.unseen.size === 0) return;
    for (const member of core.others) {
      const since = core.unseen.get(member.id);
      if (since !== undefined && !core.isClosedTo(member.identity.account) && this.#isGreetingDue(member, since, step.now))
        this.#sendGreeting(member, step);
    }
  }

  /** Those who seem to be away at half the pace. */
  #isGreetingDue({ id, identity }: Member, since: number, now: number): boolean {
    const isAway = this.core.ports.isOnline(identity.account) === false;
    const greetings = isAway ? this.#greetingsAway : this.#greetings;
    const pace = isAway ? AWAY_PACE : 1;
    const next = greetings.get(id);
    if (next === undefined) {
      // Not all members at once.
      const jitter = this.core.ports.random(1)[0]! / 256;
      const waitMs = FIRST_GREETING_MS * pace;
      greetings.set(id, { at: Math.max(since, now) + waitMs * (1 + jitter), waitMs });
      return false;
    }
    if (now < next.at) return false;
    greetings.set(id, { at: next.at + next.waitMs, waitMs: Math.min(2 * next.waitMs, LAST_GREETING_MS * pace) });
    return true;
  }

  #sendGreeting(member: Member, step: Step): void {
    const { core } = this;
    const { engine, random, own } = core.ports;
    const id = random(NONCE_BYTES);
    const key = random(KEY_BYTES);
    if (this.#greeted.size >= MOST_GREETINGS) this.#greeted.delete(this.#greeted.keys().next().value!);
    this.#greeted.set(toHex(id), { key, member, until: step.now + GREETING_LIFE_MS });
    const greeting = create(GreetingSchema, {
      group: fromHex(core.id),
      id,
      key,
      sender: fromHex(own.device),
      token: core.answerToken,
    });
    const state = core.branches.state(core.head)!;
    const sealed = engine.sealToLeaf(state, member.leaf, GREETING_LABEL, toBinary(GreetingSchema, greeting));
    core.ports.count('greeted');
    const payload = toBinary(EnvelopeSchema, create(EnvelopeSchema, { kind: { case: 'greeting', value: { sealed } } }));
    core.ports.transmit(payload, [addressOf(member)], step);
  }

  /** Of a greeting of this device, by the first 8 bytes of its id. */
  keyOf(by: string): Uint8Array | undefined {
    for (const [id, { key }] of this.#greeted) if (short(id) === by) return key;
    return undefined;
  }

  /** Whether it answers a greeting of this device, for the first time. */
  takeAnswer({ answers }: Hello, { identity }: Member, now: number): boolean {
    const id = toHex(answers);
    const greeted = this.#greeted.get(id);
    return greeted?.member.identity.device === identity.device && greeted.until > now && this.#greeted.delete(id);
  }

  greetedMember(device: string): Member | undefined {
    return [...this.#greeted.values()].find(({ member }) => member.identity.device === device)?.member;
  }
}

export const GREETING_LABEL = 'greeting';

/** Signed: this device asks to be removed and added again with this package. */
export function rejoinRequest(
  group: string,
  nonce: Uint8Array,
  keyPackage: Uint8Array,
  sign: (label: string, bytes: Uint8Array) => Uint8Array,
) {
  return create(RejoinRequestSchema, { nonce, keyPackage, signature: sign('rejoin', rejoinBytes(group, nonce, keyPackage)) });
}

export function greetingKey(greeting: Greeting): HelloKey {
  return { by: toHex(greeting.id), key: greeting.key };
}
