import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { Member, StateId } from '@sotto/mls';
import { fromHex, type Hello, type HelloEnvelope, HelloSchema, LeaveStatementSchema, type LeaveStatement, toHex } from '@sotto/protocol';
import { addressOf, type GroupCore } from './group-core.js';
import type { Address, Step } from './group-ports.js';
import { type HelloKey, openHello, packShort, sealHello, short, unpackShort } from './hello.js';
import { Peer, type Shown, shownBy, sideOf } from './peers.js';
import { type Rejoining, rejoinRequest } from './rejoining.js';
import { commitEnvelope } from './sealing.js';
import { leaveStatementBytes } from './statements.js';
import { bundles, commitsLackedBy, detailsFor, digestsOf, lackedBy, namedStates } from './supply.js';

/** Members that are asked at a time. */
const ASKED = 2;
/** Asked, answered, the answer answered with what that asks for, and the last word. */
const MOST_HOPS = 4;
const TELL_MISSING_MS = 60_000;
const MOST_MISSING = 10_000;
const NONCE_BYTES = 16;
const MOST_NONCES = 64;
/** Other commits named in one hello. */
const MOST_OTHERS = 2_000;
/** With no progress for so long, members whose branch begins above one's head count as being on another. */
const STUCK_MS = 60_000;
/** How long the messages may take that prove a roll-back. */
const AHEAD_MS = 120_000;
/** How long there may be no offer of help, and no word of a member that takes this device for one. */
const HOPE_MS = 600_000;
const ALONE_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** A hello for its own sake: what nobody misses shows nowhere else. */
const IDLE_HELLO_MS = 900_000;

type HelloInit = Exclude<MessageInitShape<typeof HelloSchema>, Hello>;

/** Members tell each other what they have, and give what the other lacks (docs/groups.md § Catching up). */
export class Sync {
  readonly #peers = new Map<string, Peer>();
  /** Of own hellos that want an answer. */
  readonly #nonces = new Set<string>();
  /** Sends that carry such hellos. */
  readonly #asks = new Set<string>();
  #progressAt = 0;
  /** When somebody last offered to let this device in again. */
  #offeredAt = 0;
  #answeredAt = 0;
  /** Somebody says to have messages of this leaf that are not known here. */
  #ahead: { readonly since: number; readonly by: string } | undefined;
  /** Accounts whose word was enough, and when. */
  readonly #believed = new Map<string, number>();
  /** Nobody who is there knows the group. */
  #isDeserted = false;
  #missing = { messages: 0, toldAt: Number.NEGATIVE_INFINITY };
  #idleAt = 0;

  constructor(
    private readonly core: GroupCore,
    private readonly rejoining: Rejoining,
    /** Signed by those who said that they leave, by leaf. */
    private readonly left: Map<string, LeaveStatement>,
  ) {}

  // --- asking

  /** The device is connected: whatever happened meanwhile, two members are asked. */
  start(step: Step): void {
    const { core } = this;
    core.askingSince = step.now;
    this.#progressAt = step.now;
    for (const peer of this.#peers.values()) peer.refresh();
    this.#askSome(step);
  }

  /** A member is there. Its head may be one that was not seen yet. */
  sighted(device: string, step: Step): void {
    const member = this.core.member(device);
    if (member === undefined || device === this.core.ports.own.device) return;
    const peer = this.#peer(device);
    if (peer.shown !== undefined && this.#isHead(peer.shown) && !this.#needs) return;
    if (peer.mayAsk(step.now)) this.#ask(member, step);
  }

  /** Something new has come: whoever was asked in vain may know more by now. */
  progress(step: Step): void {
    this.#progressAt = step.now;
    for (const peer of this.#peers.values()) peer.refresh();
  }

  show(to: Member, address: Address, step: Step): void {
    this.#send(to, address, {}, step);
  }

  tick(step: Step): void {
    this.#believe(step.now);
    if (this.#isLeftAlone(step.now)) this.#giveUpHope(step);
    this.core.isLastHope = this.#isLastHope(step.now);
    if (this.#needs || (step.now >= this.#idleAt && this.#mayHope)) this.#askSome(step);
  }

  /** A Send of this device has arrived: perhaps one that asks. */
  arrived(send: string, device: string, { now }: Step): void {
    if (this.#asks.delete(send)) this.#peer(device).reached(now);
  }

  /** Members whose devices get what they are asked and never answer. */
  lostMembers(now: number): Member[] {
    const { out, retired, others } = this.core;
    if (out || retired) return [];
    const lost = others.filter(({ identity }) => this.#peers.get(identity.device)?.isLost(now) === true);
    if (lost.length > 0) this.#isDeserted = [...this.#peers.values()].every(({ shown }) => shown === undefined);
    return lost;
  }

  /** Another branch is where this device goes on: what others have shown is of use no more. */
  restart(step: Step): void {
    this.#peers.clear();
    this.#ahead = undefined;
    this.#isDeserted = false;
    this.start(step);
  }

  get #needs(): boolean {
    const { core } = this;
    const asks = core.isMissing || core.dead || core.wantsRejoin || (!core.confirmed && core.others.length > 0);
    // Who is out says so to those who may still list it, and asks for nothing.
    return core.out ? !core.expelled && !core.branches.isCutOff : asks;
  }

  /** In, or told that it is not by others who may be wrong. */
  get #mayHope(): boolean {
    return !this.core.out || this.core.expelled;
  }

  #isHead({ path }: Shown): boolean {
    return path[0] === short(this.core.head);
  }

  #askSome(step: Step): void {
    const { core } = this;
    this.#idleAt = step.now + IDLE_HELLO_MS * (0.5 + core.ports.random(1)[0]! / 256);
    const members = core.others.filter(({ identity }) => this.#peer(identity.device).mayAsk(step.now));
    const isOnline = ({ identity }: Member) => core.ports.isOnline(identity.account);
    const there = shuffled(
      members.filter((each) => isOnline(each) === true),
      core.ports.random,
    );
    const unknown = shuffled(
      members.filter((each) => isOnline(each) === undefined),
      core.ports.random,
    );
    for (const member of [...there, ...unknown].slice(0, ASKED)) this.#ask(member, step);
  }

  #ask(member: Member, step: Step): void {
    const peer = this.#peer(member.identity.device);
    peer.asked(step.now);
    if (peer.shown === undefined) this.#tellOfEntry(addressOf(member), step);
    this.#asks.add(this.#send(member, addressOf(member), { hop: 1 }, step));
    if (this.#asks.size > MOST_NONCES) this.#asks.delete(this.#asks.values().next().value!);
  }

  /** Whoever does not have the commit that let this device in can't read its hello: its author may have told nobody else. */
  #tellOfEntry(to: Address, step: Step): void {
    const { branches, id, ports } = this.core;
    const commit = branches.roots.get(branches.root)?.commit;
    if (commit === undefined) return;
    for (const bundle of bundles(id, [commitEnvelope(commit.parent, commit.bytes)])) ports.transmit(bundle, [to], step);
  }

  // --- hearing

  /** Undefined: not for this device, not signed by a member, or not readable here. */
  open(envelope: HelloEnvelope): { hello: Hello; from: Member } | undefined {
    const { core } = this;
    const opened = openHello(envelope, (by) => this.#helloKey(by) ?? this.rejoining.keyOf(by));
    if (opened === undefined) return undefined;
    const { hello, bytes, signature } = opened;
    const device = toHex(hello.sender);
    const from = core.branches.findMember(device) ?? this.rejoining.greetedMember(device) ?? core.branches.findRemoved(device);
    const meant = toHex(hello.recipient) === core.ports.own.device && toHex(hello.group) === core.id && device !== core.ports.own.device;
    if (from === undefined || !meant || !core.ports.engine.verify(from.signatureKey, 'hello', bytes, signature)) return undefined;
    return { hello, from };
  }

  /** Takes in what the other shows, gives what it lacks, and answers. */
  async hear(hello: Hello, from: Member, step: Step): Promise<void> {
    const { core } = this;
    core.ports.count('hello');
    if (toHex(hello.leaf) === from.id) core.show(from.id);
    if (hello.leaf.length > 0) this.rejoining.hears(from, toHex(hello.leaf), step);
    core.ports.sighted(from.identity.device, step);
    const peer = this.#peer(from.identity.device);
    peer.heard();
    peer.wantsRejoin = hello.wantsRejoin;
    if (hello.path.length > 0) peer.shown = shownBy(hello);
    const address = { device: from.identity.device, token: hello.token };
    this.#hearLeave(hello, from, step);
    if (hello.removed) return this.#hearRemoved(hello, step);
    if (this.#isRemoved(from)) return this.#tellRemoved(hello, from, address, step);
    if (hello.rejoinNonce.length > 0) this.#offered(step);
    const answered = this.#nonces.delete(toHex(hello.answers));
    if (answered) {
      this.#answeredAt = step.now;
      if (!core.dead) this.#takenBack();
    }
    this.#confirm(from, hello, answered, step);
    await this.rejoining.help(from, hello, step);
    this.#compare(step);
    if (peer.shown !== undefined && hello.path.length > 0) this.#give(lackedBy(peer.shown, hello, core), peer, address, step);
    await this.#answer(hello, from, address, answered, step);
  }

  /** Not in the head, nor anywhere else by a leaf that is not removed: it is told how that came about, and no more. */
  #isRemoved({ id, identity }: Member): boolean {
    const { core } = this;
    return core.member(identity.device) === undefined && core.branches.tree.removed.has(id);
  }

  /** An answer frees, unless somebody says to have messages of this leaf that this device does not know: it may have been rolled back. */
  #confirm({ identity }: Member, hello: Hello, answered: boolean, { now }: Step): void {
    const { core } = this;
    if (core.confirmed) return;
    const believedAt = this.#believed.get(identity.account);
    const isBelieved = believedAt === undefined || now - believedAt > DAY_MS;
    if (isBelieved && this.#saysAhead(hello)) this.#ahead ??= { since: now, by: identity.account };
    else if (answered && this.#ahead === undefined) core.confirmed = true;
  }

  /** Those messages prove it. If they don't come, say as they were for one alone, the word is enough: another leaf does no harm, once a day. */
  #believe(now: number): void {
    if (this.#ahead === undefined || now - this.#ahead.since < AHEAD_MS) return;
    this.#believed.set(this.#ahead.by, now);
    this.#ahead = undefined;
    this.core.die('rolled-back');
  }

  /** It is given the commits that removed it, and a word for the case that it can't process them. */
  #tellRemoved(hello: Hello, from: Member, to: Address, step: Step): void {
    const peer = this.#peer(from.identity.device);
    this.#give(commitsLackedBy(shownBy(hello), this.core), peer, to, step);
    const named = new Set(unpackShort(hello.others));
    const by = this.core.branches.tree.removed.get(from.id);
    const isHelpless = hello.wantsRejoin || (by !== undefined && named.has(short(by)));
    if (!isHelpless || to.token.length === 0 || !peer.mayAnswer(step.now)) return;
    this.#transmit({ answers: hello.nonce, removed: true }, from, to, step);
  }

  /** Believed by a device whose leaf is of no use anyway, or which can't follow, when for long nobody has treated it as a member. */
  #hearRemoved({ answers }: Hello, step: Step): void {
    if (this.#nonces.delete(toHex(answers))) this.#giveUpHope(step);
  }

  /** All who are heard need help: the first of them lets another in again, by the leaf that it should not use, and is helped by that one. */
  #isLastHope(now: number): boolean {
    const { core } = this;
    if (!core.dead || core.out || now - Math.max(core.askingSince, this.#offeredAt) < HOPE_MS) return false;
    const heard = core.others.filter(({ identity }) => this.#peers.get(identity.device)?.shown !== undefined);
    const needy = heard.filter(({ identity }) => this.#peer(identity.device).wantsRejoin);
    const able = heard.filter((each) => !needy.includes(each) && !this.left.has(each.id));
    const isFirst = needy.length > 0 && able.length === 0 && needy.every(({ leaf }) => leaf > core.ownLeaf!.leaf);
    return isFirst || (heard.length === 0 && this.#isDeserted);
  }

  /** Members answer, and for long none of them could help: they are out themselves, on branches that this device does not know. */
  #isLeftAlone(now: number): boolean {
    const since = Math.max(this.core.askingSince, this.#offeredAt);
    return this.core.dead && !this.core.isLastHope && now - since > ALONE_MS && now - this.#answeredAt < ALONE_MS;
  }

  #giveUpHope({ now }: Step): void {
    const { core } = this;
    const canFollow = !core.dead && core.branches.unprocessableIds().length === 0;
    const welcomedAt = Math.max(this.#offeredAt, core.dead ? 0 : this.#answeredAt);
    if (canFollow || core.expelled || now - Math.max(core.askingSince, welcomedAt) < HOPE_MS) return;
    core.expelled = true;
    core.touch();
  }

  #offered({ now }: Step): void {
    this.#offeredAt = now;
    this.#takenBack();
  }

  #takenBack(): void {
    if (!this.core.expelled) return;
    this.core.expelled = false;
    this.core.touch();
  }

  /** Whether somebody claims to have seen a later message of this device than it knows of itself. */
  #saysAhead({ seen }: Hello): boolean {
    const { branches, ports } = this.core;
    return seen.some(({ state, generation }) => {
      const held = branches.state(branches.byShort(toHex(state)) ?? '');
      return held !== undefined && generation >= ports.engine.generationOf(held, held.ownLeaf);
    });
  }

  #hearLeave({ left }: Hello, from: Member, step: Step): void {
    const { core } = this;
    if (left === undefined || !core.ports.rules.removedFallSilent) return;
    const leaf = toHex(left.leaf);
    const member = core.members.find(({ id }) => id === leaf);
    if (member?.identity.device !== from.identity.device) return;
    if (!core.ports.engine.verify(member.signatureKey, 'leave', leaveStatementBytes(core.id, leaf), left.signature)) return;
    this.left.set(leaf, left);
    core.wish({ kind: 'remove', leaves: [leaf] });
    // Nobody is left who could let this device in again.
    if (core.others.every(({ id }) => this.left.has(id))) this.#giveUpHope(step);
  }

  /** Whether those on a branch that this device can't compare with its own are to be followed. */
  #compare(step: Step): void {
    const { core } = this;
    if (!core.ports.rules.rejoin || core.out || core.dead) return;
    const wants = this.#votesAgainst(step.now);
    if (wants === core.wantsRejoin) return;
    core.wantsRejoin = wants;
    core.touch();
  }

  /** Those who hold the fork decide, unless it is one account's word against the majority's; if nobody does, the majority. */
  #votesAgainst(now: number): boolean {
    const { all, compared, accounts, theirsIsBetter } = this.#vote(now);
    const majority = all.theirs > all.mine || (all.theirs === all.mine && all.theirs > 0 && theirsIsBetter);
    if (compared.theirs === compared.mine) return majority;
    return compared.theirs > compared.mine ? majority || all.theirs >= all.mine || accounts > 1 : false;
  }

  #vote(now: number) {
    const { core } = this;
    const rootEpoch = core.branches.epoch(core.branches.root)!;
    const all = { mine: 1, theirs: 0 };
    /** Those alone who hold the fork. */
    const compared = { mine: 0, theirs: 0 };
    const accounts = new Set<string>();
    let best: Shown | undefined;
    for (const { identity } of core.others) {
      const shown = this.#peers.get(identity.device)?.shown;
      const side = shown && this.#sideOf(shown, now);
      if (side !== 'mine' && side !== 'theirs') continue;
      all[side]++;
      if (shown!.heldFrom < rootEpoch && shown!.path.length > shown!.headEpoch - shown!.heldFrom) compared[side]++;
      if (side === 'theirs') accounts.add(identity.account);
      if (side === 'theirs' && (best === undefined || isBetter(shown!, best))) best = shown;
    }
    const own = { headEpoch: core.branches.headEpoch, path: [short(core.head)] };
    return { all, compared, accounts: accounts.size, theirsIsBetter: best !== undefined && isBetter(best, own) };
  }

  #sideOf(shown: Shown, now: number): 'mine' | 'theirs' | undefined {
    const side = sideOf(shown, this.core.branches);
    if (side === 'same') return 'mine';
    if (side === 'other') return 'theirs';
    return side === 'ahead' && now - this.#progressAt > STUCK_MS ? 'theirs' : undefined;
  }

  #give(lacked: Iterable<Uint8Array>, peer: Peer, to: Address, step: Step): void {
    const { core } = this;
    if (to.token.length === 0) return;
    for (const bundle of bundles(core.id, lacked)) {
      if (!peer.maySupply(bundle.length, step.now)) return;
      core.ports.transmit(bundle, [to], step);
    }
  }

  async #answer(hello: Hello, from: Member, to: Address, answered: boolean, step: Step): Promise<void> {
    const { core } = this;
    const { details, missing } = detailsFor(hello, core);
    if (missing > 0) this.#tellMissing(missing, from, step);
    const rejoin = await this.#request(hello, from, step);
    const rejoinNonce = hello.wantsRejoin ? this.rejoining.offerTo(from.identity.device, step) : new Uint8Array();
    const wanted = hello.answers.length === 0 || rejoin !== undefined || (answered && (missing > 0 || rejoinNonce.length > 0));
    if (!wanted || hello.hop >= MOST_HOPS || !this.#peer(from.identity.device).mayAnswer(step.now)) return;
    this.#send(from, to, { answers: hello.nonce, hop: hello.hop + 1, details, rejoinNonce, rejoin }, step);
  }

  /** By what others say of themselves: told when it changes, and not at every word of theirs. */
  #tellMissing(claimed: number, { identity }: Member, step: Step): void {
    const messages = Math.min(claimed, MOST_MISSING);
    if (messages === this.#missing.messages || step.now - this.#missing.toldAt < TELL_MISSING_MS) return;
    this.#missing = { messages, toldAt: step.now };
    const { account, device, accountName: name } = identity;
    this.core.ports.notify({ kind: 'missing', group: this.core.id, messages, asking: { account, device, name } }, step);
  }

  /** Signs the other's offer, if this device wants to be let in again where the other is. */
  async #request({ rejoinNonce }: Hello, from: Member, step: Step) {
    const { core } = this;
    if (rejoinNonce.length !== NONCE_BYTES || !(core.dead || core.wantsRejoin) || !this.#mayHope) return undefined;
    const shown = this.#peer(from.identity.device).shown;
    if (!core.dead && (shown === undefined || this.#sideOf(shown, step.now) !== 'theirs')) return undefined;
    core.ports.count('rejoin-asked');
    const { publicBytes } = await core.ports.newJoinPackage(core.id, step);
    const { engine } = core.ports;
    return rejoinRequest(core.id, rejoinNonce, publicBytes, (label, bytes) => engine.sign(label, bytes));
  }

  // --- saying

  #send(to: Member, address: Address, more: HelloInit, step: Step): string {
    const { core } = this;
    const nonce = core.ports.random(NONCE_BYTES);
    this.#remember(toHex(nonce));
    return this.#transmit({ nonce, ...this.#standing(to), ...more }, to, address, step);
  }

  /** What this device has, and what it wants of the others. */
  #standing(to: Member): HelloInit {
    const { core } = this;
    const path = core.branches.tree.path(core.head);
    const onPath = new Set(path);
    const known = [...core.branches.commits.keys(), ...core.branches.refusedIds(), ...core.branches.unreachableIds()];
    const others = [...new Set(known)].filter((id) => !onPath.has(id));
    return {
      leaf: fromHex(core.ownLeaf?.id ?? ''),
      token: core.ownLeaf?.address.token ?? new Uint8Array(),
      headEpoch: BigInt(core.branches.headEpoch),
      path: packShort(path),
      others: packShort(others.slice(-MOST_OTHERS)),
      heldFrom: BigInt(core.branches.epoch(core.branches.root)!),
      digests: digestsOf(core),
      seen: this.#seenOf(to),
      wantsRejoin: (core.dead || core.wantsRejoin) && this.#mayHope,
      ...(!this.#mayHope && core.ownLeaf && { left: this.#leaveStatement(core.ownLeaf.id) }),
    };
  }

  #transmit(says: HelloInit, to: Member, address: Address, step: Step): string {
    const { id, ports } = this.core;
    const { engine, random, own } = ports;
    const hello = create(HelloSchema, { group: fromHex(id), sender: fromHex(own.device), recipient: fromHex(address.device), ...says });
    const sealed = sealHello(hello, this.#keysFor(to.identity.device), { random, sign: (bytes) => engine.sign('hello', bytes) });
    return ports.transmit(sealed, [address], step);
  }

  #remember(nonce: string): void {
    this.#nonces.add(nonce);
    if (this.#nonces.size > MOST_NONCES) this.#nonces.delete(this.#nonces.values().next().value!);
  }

  #leaveStatement(leaf: string): LeaveStatement {
    const { engine } = this.core.ports;
    return create(LeaveStatementSchema, { leaf: fromHex(leaf), signature: engine.sign('leave', leaveStatementBytes(this.core.id, leaf)) });
  }

  #seenOf({ identity }: Member) {
    const { branches, ports } = this.core;
    return namedStates(branches).flatMap((id) => {
      const state = branches.state(id)!;
      const leaf = branches.members(id).find((each) => each.identity.device === identity.device);
      const next = leaf === undefined ? 0 : ports.engine.generationOf(state, leaf.leaf);
      return next === 0 ? [] : [{ state: packShort([id]), generation: next - 1 }];
    });
  }

  /** Keys of states that the other may hold: the head and states at growing distance before it, those where this device began, one of the other's path. */
  #keysFor(device: string): HelloKey[] {
    const { branches } = this.core;
    const path = branches.tree.path(branches.head);
    const ids = new Set<StateId>();
    for (let distance = 0; distance < path.length; distance = Math.max(1, 2 * distance)) ids.add(path[distance]!);
    for (const id of branches.roots.keys()) ids.add(id);
    // On its own path, whichever branch that is: the newest that is known here.
    const theirs = this.#peers.get(device)?.shown?.path.find((each) => this.#helloKey(each) !== undefined);
    if (theirs !== undefined) ids.add(branches.byShort(theirs)!);
    return [...ids].flatMap((by) => {
      const key = branches.helloKey(by);
      return key === undefined ? [] : [{ by, key }];
    });
  }

  #helloKey(by: string): Uint8Array | undefined {
    const state = this.core.branches.byShort(by);
    return state === undefined ? undefined : this.core.branches.helloKey(state);
  }

  #peer(device: string): Peer {
    const known = this.#peers.get(device) ?? new Peer();
    this.#peers.set(device, known);
    return known;
  }
}

function isBetter(a: Pick<Shown, 'headEpoch' | 'path'>, b: Pick<Shown, 'headEpoch' | 'path'>): boolean {
  return a.headEpoch > b.headEpoch || (a.headEpoch === b.headEpoch && (a.path[0] ?? '') < (b.path[0] ?? ''));
}

function shuffled<T>(items: readonly T[], random: (length: number) => Uint8Array): T[] {
  const keyed = items.map((item) => ({ item, key: toHex(random(4)) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ item }) => item);
}
