import type { CommitNode, LeafId, Member, StateId } from '@sotto/mls';
import { type Hello, type HelloEnvelope, type LeaveStatement, toHex } from '@sotto/protocol';
import { BranchVote } from './branch-vote.js';
import type { Committing } from './committing.js';
import type { GroupCore } from './group-core.js';
import type { Address, Recipient, Step } from './group-ports.js';
import { openHello, short } from './hello.js';
import { HelloWriter } from './hello-writer.js';
import { Hope } from './hope.js';
import { type Peer, Peers, type Shown, shownBy } from './peers.js';
import { type Rejoining, rejoinRequest } from './rejoining.js';
import { RollBackClaims } from './roll-back-claims.js';
import { commitEnvelope } from './sealing.js';
import { leaveStatementBytes } from './statements.js';
import { bundles, commitsLackedBy, detailsFor, lackedBy, messagesShownBy, type ShownMessages } from './supply.js';
import { Turns } from './turns.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Members that are asked at a time. */
const ASKED = 2;
/** Asked, answered, the answer answered with what that asks for, and the last word. */
const MOST_HOPS = 4;
const TELL_MISSING_MS = 60_000;
const MOST_MISSING = 10_000;
const NONCE_BYTES = 16;
/** Sends under way that ask. */
const MOST_ASKS = 64;
/** Leaves of whose last commit is known; a group has fewer. */
const MOST_COMMITTED = 1_000;
/** A hello for its own sake: what nobody misses shows nowhere else. So long after something new came, then twice as long each time. */
const IDLE_HELLO_MS = 900_000;
const LAST_IDLE_HELLO_MS = HOUR_MS;
/** Between two who seem to be away, while something is held up. */
const AWAY_FIRST_WAIT_MS = 5_000;
const AWAY_LAST_WAIT_MS = 600_000;
/** Then it is unlikely that it was away each time. */
const MANY_MISSES = 6;
/** The same of one who seems to be away, and most often is: asked in vain for about an hour. Each look-up takes a key package of its. */
const MANY_MISSES_AWAY = 12;
/** Since the program started. */
const MOST_ASKED_AS_FORMER = 8;
/** Whoever was on another branch and has said nothing for so long may be gone for good. */
const STRAYED_MS = DAY_MS;

interface Misses {
  /** How often in a row it was asked before, and that did not arrive. */
  readonly misses: number;
  /** From how many on its token is looked up. */
  readonly many: number;
}

interface Heard {
  readonly hello: Hello;
  readonly messages: ShownMessages;
  /** It answers one of this device. */
  readonly answered: boolean;
}

/** Members tell each other what they have, and give what the other lacks (docs/groups.md § Catching up). */
export class Sync {
  readonly #peers = new Peers();
  readonly #hope: Hope;
  readonly #writer: HelloWriter;
  readonly #vote: BranchVote;
  readonly #rollBack: RollBackClaims;
  /** Sends that carry hellos which want an answer. */
  readonly #asks = new Set<string>();
  readonly #turns = new Turns(AWAY_FIRST_WAIT_MS, AWAY_LAST_WAIT_MS);
  /** Where nothing is held up. */
  readonly #idleTurns = new Turns(HOUR_MS, DAY_MS);
  /** What each leaf has committed last and when that came, as long as its device has not said since where it is. */
  readonly #committed = new Map<LeafId, { readonly commit: StateId; readonly at: number }>();
  #isTurnOfStrayed = false;
  #missing = { messages: 0, toldAt: Number.NEGATIVE_INFINITY };
  #idleAt = 0;
  #idleMs = IDLE_HELLO_MS;

  constructor(
    private readonly core: GroupCore,
    private readonly rejoining: Rejoining,
    committing: Committing,
    /** Signed by those who said that they leave, by leaf. */
    private readonly left: Map<string, LeaveStatement>,
  ) {
    this.#hope = new Hope(core, this.#peers, left);
    this.#writer = new HelloWriter(core, this.#peers, this.#hope);
    this.#vote = new BranchVote(core, this.#peers, left, committing);
    this.#rollBack = new RollBackClaims(core);
  }

  // --- asking

  /** The device is connected: whatever happened meanwhile, two members are asked. */
  start(step: Step): void {
    this.core.askingSince = step.now;
    this.progress(step);
    this.#idleTurns.beginAnew(step.now, HOUR_MS);
    this.#askSome(step);
  }

  /** A member is there. Its head may be one that was not seen yet. */
  sighted(device: string, step: Step): void {
    const member = this.core.member(device);
    if (member === undefined || device === this.core.ports.own.device || this.#isClosedTo(member)) return;
    const peer = this.#peers.of(device);
    if (peer.shown !== undefined && this.#isHead(peer.shown) && !this.#needs) return;
    if (peer.mayAsk(step.now)) this.#ask(member, step);
  }

  /** Something new has come: whoever was asked in vain may know more by now. */
  progress(step: Step): void {
    this.#vote.progress(step.now);
    this.#peers.refresh();
    this.#turns.beginAnew(step.now);
    this.#idleMs = IDLE_HELLO_MS;
    this.#idleAt = Math.min(this.#idleAt, step.now + IDLE_HELLO_MS);
  }

  /** By another member, and valid. */
  committed({ author, id }: CommitNode, { now }: Step): void {
    this.#committed.set(author.leaf, { commit: id, at: now });
    if (this.#committed.size > MOST_COMMITTED) this.#committed.delete(this.#committed.keys().next().value!);
  }

  show(to: Member, address: Address, step: Step): void {
    if (this.#isClosedTo(to)) return;
    this.#writer.send(to, address, {}, step);
  }

  tick(step: Step): void {
    this.#rollBack.tick(step.now);
    this.#hope.tick(step);
    if (this.#needs) this.#askSome(step);
    else if (step.now >= this.#idleAt && this.#hope.isLeft) this.#askForItsOwnSake(step);
  }

  /** As soon again where one who was asked says nothing. */
  #askForItsOwnSake(step: Step): void {
    this.#idleMs = this.#peers.someOweAnswers(step.now) ? IDLE_HELLO_MS : Math.min(2 * this.#idleMs, LAST_IDLE_HELLO_MS);
    this.#askSome(step);
  }

  /** A Send of this device has arrived: perhaps one that asks. */
  arrived(send: string, device: string, { now }: Step): void {
    if (this.#asks.delete(send)) this.#peers.of(device).reached(now);
  }

  lostMembers(now: number): Member[] {
    return this.#hope.lostMembers(now);
  }

  /** Another branch is where this device goes on: what others have shown is of use no more. */
  restart(step: Step): void {
    this.#peers.clear();
    this.#committed.clear();
    this.#rollBack.beginAnew();
    this.#hope.restart();
    this.start(step);
  }

  get #needs(): boolean {
    const { core } = this;
    const asks = core.isMissing || core.dead || core.wantsRejoin || (!core.confirmed && core.others.length > 0);
    // Who is out says so to those who may still list it, and asks for nothing.
    return core.out ? !core.expelled && !core.branches.isCutOff : asks;
  }

  /**
   * Something can't go on before an answer comes, or somebody has never shown himself. That none has come since the start is not enough: so it is
   * in most of a device's conversations.
   */
  get #isHeldUp(): boolean {
    const { core } = this;
    return core.out || core.isMissing || core.dead || core.wantsRejoin || core.toSeal.length > 0 || core.unseen.size > 0;
  }

  /** By its last word, or by what it has committed since, it is on another branch: it may know nothing of this one, or have left that. */
  #hasStrayed({ id, identity }: Member, now: number): boolean {
    const { branches, head } = this.core;
    if (this.left.has(id)) return false;
    const { commit, at = 0 } = this.#committed.get(id) ?? {};
    const isOnOther = commit !== undefined && branches.tree.has(commit) && !branches.tree.descends(head, commit);
    if (isOnOther && now - at < STRAYED_MS) return true;
    return now - this.#peers.of(identity.device).heardAt < STRAYED_MS && this.#vote.isElsewhere(identity.device, now);
  }

  #isClosedTo({ identity }: Member): boolean {
    return this.core.isClosedTo(identity.account);
  }

  #isHead({ path }: Shown): boolean {
    return path[0] === short(this.core.head);
  }

  #askSome(step: Step): void {
    const { core } = this;
    this.#idleAt = step.now + this.#idleMs * (0.5 + core.ports.random(1)[0]! / 256);
    for (const member of this.#nextInTurn(step.now).slice(0, ASKED)) this.#ask(member, step);
    this.#askAway(step);
  }

  /**
   * One first who is there; then those who were asked longest ago, whether they are there or nobody tells: so it is with the account's own other
   * devices, and with members who are no contacts, and what is missing may be with these alone.
   */
  #nextInTurn(now: number): Member[] {
    const { ports } = this.core;
    const isOnline = ({ identity }: Member) => ports.isOnline(identity.account);
    const isSilent = ({ identity }: Member) => !this.#needs && this.#peers.of(identity.device).owesAnswer(now);
    const mayBeThere = (each: Member) => isOnline(each) !== false || isSilent(each);
    const mayBeAsked = (each: Member) => !this.#isClosedTo(each) && this.#peers.of(each.identity.device).mayAsk(now);
    const members = this.#toAsk.filter((each) => mayBeThere(each) && mayBeAsked(each));
    const inTurn = this.#peers.inTurn(shuffled(members, ports.random));
    const first = inTurn.find((each) => isOnline(each) === true) ?? inTurn[0];
    return first === undefined ? [] : [first, ...inTurn.filter((each) => each !== first)];
  }

  /**
   * One of those who seem to be away, where something is held up or somebody has strayed (every other time one of those): presence gets lost, and
   * neither who is invisible nor who has ended the contact ever seems to be there. Else seldom: one who was put back to before the group would
   * miss nothing, and never be missed.
   */
  #askAway(step: Step): void {
    const { others, ports } = this.core;
    if (!this.#turns.isDue(step.now)) return;
    const isHeldUp = this.#isHeldUp;
    const strayed = isHeldUp ? [] : others.filter((each) => this.#hasStrayed(each, step.now));
    const turns = isHeldUp || strayed.length > 0 ? this.#turns : this.#idleTurns;
    if (!turns.isDue(step.now)) return;
    this.#isTurnOfStrayed = !this.#isTurnOfStrayed;
    const away = others.filter((each) => ports.isOnline(each.identity.account) === false && !this.#isClosedTo(each));
    const askedAt = ({ identity }: Member) => this.#peers.of(identity.device).askedAwayAt;
    const inTurn = shuffled(away, ports.random).sort((a, b) => askedAt(a) - askedAt(b));
    const next = (this.#isTurnOfStrayed && inTurn.find((each) => strayed.includes(each))) || inTurn[0];
    if (next === undefined) return;
    turns.take(askedAt(next), step.now);
    const peer = this.#peers.of(next.identity.device);
    const address = this.#reach(next, peer, { misses: peer.missesAway, many: MANY_MISSES_AWAY }, step);
    peer.askedAway(address.token, step.now);
    this.#askMember(next, peer, address, step);
  }

  /** Whoever is alone asks those who were there: they may all be together on another branch. */
  get #toAsk(): readonly Member[] {
    const { others, out, branches, ports } = this.core;
    if (others.length > 0 || out) return others;
    return branches.membership
      .former()
      .filter(({ identity }) => identity.device !== ports.own.device && this.#mayAskFormer(identity.device));
  }

  #ask(member: Member, step: Step): void {
    const { device } = member.identity;
    const peer = this.#peers.of(device);
    const address = this.#reach(member, peer, { misses: peer.misses, many: MANY_MISSES }, step);
    peer.asked(address.token, step.now);
    if (this.core.member(device) !== undefined) return this.#askMember(member, peer, address, step);
    if (peer.shown === undefined) this.#tellOfEntry(address, step);
    peer.timesAskedAsFormer++;
    this.core.ports.count('former-asked');
    const token = this.core.tokenForFormer(step.now);
    // To be given what is missing it has to say what that is. Nothing goes on where it is alone.
    if (this.core.others.length === 0) this.#awaits(this.#writer.send(member, address, { hop: 1, token }, step));
    else this.#awaits(this.#writer.sendQuestion(member, address, token, step));
  }

  #askMember(member: Member, peer: Peer, address: Address, step: Step): void {
    if (peer.shown === undefined) this.#tellOfEntry(address, step);
    this.#awaits(this.#writer.send(member, address, { hop: 1 }, step));
  }

  #awaits(send: string): void {
    this.#asks.add(send);
    if (this.#asks.size > MOST_ASKS) this.#asks.delete(this.#asks.values().next().value!);
  }

  /**
   * What a device is owed did not arrive, or was of no use there. If it was removed, it may not know that, nor anybody's address any more: it
   * was put back to a time before, or can't process what removed it. It is asked, so that it can be told.
   */
  missed(device: string, step: Step): void {
    const { core } = this;
    if (core.out || core.member(device) !== undefined || !this.#mayAskFormer(device)) return;
    const former = core.branches.membership.findRemoved(device);
    if (former !== undefined && !this.#isClosedTo(former) && this.#peers.of(device).mayAsk(step.now)) this.#ask(former, step);
  }

  /** A member can't use what it was sent, and has said nothing since the start here: perhaps it knows nothing of the group. */
  cannotUse({ device, leaf }: Recipient, { now }: Step): void {
    const isThere = this.core.member(device)?.id === leaf;
    if (isThere && this.#peers.shownBy(device) === undefined) this.core.noteUnseen(leaf, now);
  }

  /** Who was removed is to have a token of this device only as long as it may need to be told. */
  #mayAskFormer(device: string): boolean {
    return this.#peers.of(device).timesAskedAsFormer < MOST_ASKED_AS_FORMER;
  }

  /** By what reached it last, else in turn by what is known: its leaf's token may be withdrawn, and the commit that brings a new one not here. */
  #reach(member: Member, peer: Peer, { misses, many }: Misses, step: Step): Address {
    const { id, ports } = this.core;
    const { account, device } = member.identity;
    const published = this.#needs && misses >= many ? ports.publishedToken(account, device, step) : undefined;
    const known = [peer.reachedBy, member.address.token, peer.token, ports.tokenElsewhere(id, device), published];
    const tokens = [...new Map(known.flatMap((token) => (token === undefined ? [] : ([[toHex(token), token]] as const)))).values()];
    return { device, token: tokens[misses % tokens.length]! };
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
    const opened = openHello(envelope, (by) => this.#writer.keyOf(by) ?? this.rejoining.keyOf(by));
    if (opened === undefined) return undefined;
    const { by, hello, bytes, signature } = opened;
    const device = toHex(hello.sender);
    const from =
      core.branches.membership.find(device) ?? this.rejoining.greetedMember(device) ?? core.branches.membership.findRemoved(device);
    const meant = toHex(hello.recipient) === core.ports.own.device && toHex(hello.group) === core.id && device !== core.ports.own.device;
    if (from === undefined || !meant || !core.ports.engine.verify(from.signatureKey, 'hello', bytes, signature)) return undefined;
    this.#peers.of(device).sealedBy = by;
    return { hello, from };
  }

  /** Takes in what the other shows, gives what it lacks, and answers. */
  async hear(hello: Hello, from: Member, step: Step): Promise<void> {
    if (this.#isClosedTo(from)) return;
    const address = { device: from.identity.device, token: hello.token };
    const peer = this.#meet(hello, from, step);
    this.#hearLeave(hello, from, step);
    if (hello.removed) return this.#hearRemoved(hello, from, step);
    const isRemoved = this.#isRemoved(from, hello);
    if (isRemoved && !this.#followsRemoved(from, step.now)) return this.#tellRemoved(hello, from, address, step);
    if (hello.rejoinNonce.length > 0) this.#hope.offered(step);
    const answered = this.#writer.takeAnswer(hello);
    if (answered) this.#hope.answered(this.#canHelp(hello), step);
    this.#rollBack.hear(hello, from, answered, step.now);
    await this.rejoining.help(from, hello, step);
    this.#vote.count(step.now);
    const messages = messagesShownBy(hello);
    const lacked = isRemoved ? commitsLackedBy : lackedBy;
    if (peer.shown !== undefined && hello.path.length > 0) this.#give(lacked(peer.shown, messages, this.core), peer, address, step);
    await this.#answer({ hello, messages, answered }, from, address, step);
  }

  /** It neither waits to be let in again itself nor is out; and who could let this device in again, if it wants that, offers it. */
  #canHelp({ wantsRejoin, left, rejoinNonce }: Hello): boolean {
    const isOffered = !this.core.wantsRejoin || rejoinNonce.length > 0;
    return isOffered && !wantsRejoin && left === undefined;
  }

  /** Notes that the member is there, by which leaf, and what it shows of itself. */
  #meet(hello: Hello, from: Member, step: Step): Peer {
    const { core } = this;
    core.ports.count('hello');
    if (toHex(hello.leaf) === from.id) core.show(from.id);
    if (hello.leaf.length > 0) this.rejoining.hears(from, toHex(hello.leaf), step);
    core.ports.sighted(from.identity.device, step);
    const peer = this.#peers.of(from.identity.device);
    peer.heard(step.now);
    if (hello.token.length > 0) peer.token = hello.token;
    peer.wantsRejoin = hello.wantsRejoin;
    if (!hello.removed) peer.saysRemoved = false;
    if (hello.path.length > 0) peer.shows(shownBy(hello), step.now);
    if (hello.path.length > 0) this.#committed.delete(from.id);
    return peer;
  }

  /** Not in the head, nor anywhere else by a leaf that is not removed: it is told how that came about, and no more. */
  #isRemoved({ id, identity }: Member, { leaf }: Hello): boolean {
    const { core } = this;
    const { removed } = core.branches.tree;
    return core.member(identity.device) === undefined && (removed.has(id) || removed.has(toHex(leaf)));
  }

  /** Alone, this device wants to be let in where the other is, though it has removed that one here (BranchVote). */
  #followsRemoved({ identity }: Member, now: number): boolean {
    if (this.core.others.length > 0) return false;
    this.#vote.count(now);
    return this.#vote.followsRemoved(identity.device);
  }

  /** It is given the commits that removed it, and a word for the case that it can't process them. */
  #tellRemoved(hello: Hello, from: Member, to: Address, step: Step): void {
    const peer = this.#peers.of(from.identity.device);
    const { branches } = this.core;
    const shown = shownBy(hello);
    this.#give(commitsLackedBy(shown, messagesShownBy(hello), this.core), peer, to, step);
    const by = branches.tree.removed.get(from.id) ?? branches.tree.removed.get(toHex(hello.leaf));
    const isHelpless = hello.wantsRejoin || (by !== undefined && shown.others.has(short(by)));
    const isElsewhere = [...branches.unreachableIds()].some((id) => short(id) === shown.path[0]);
    if (!(isHelpless || isElsewhere) || to.token.length === 0 || !peer.mayAnswer(step.now)) return;
    this.#writer.sendBare({ answers: hello.nonce, removed: true }, from, to, step);
  }

  /** Believed by a device whose leaf is of no use anyway, or which can't follow, when for long nobody has treated it as a member. */
  #hearRemoved(hello: Hello, from: Member, step: Step): void {
    if (!this.#writer.takeAnswer(hello) && !this.rejoining.takeAnswer(hello, from, step.now)) return;
    this.#peers.of(from.identity.device).saysRemoved = true;
    this.#vote.count(step.now);
    const { core } = this;
    const isOfOwn = from.identity.account === core.ports.own.account;
    // About to follow some whom it has removed, it does not take their word, nor that of others whom it has removed, for being out itself.
    if (core.wantsRejoin && core.others.length === 0 && !core.dead && !isOfOwn && this.#isRemoved(from, hello)) return;
    this.#hope.giveUp(step, isOfOwn);
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
    if (core.others.every(({ id }) => this.left.has(id))) this.#hope.giveUp(step);
  }

  // --- answering

  #give(lacked: Iterable<Uint8Array>, peer: Peer, to: Address, step: Step): void {
    const { core } = this;
    if (to.token.length === 0) return;
    for (const bundle of bundles(core.id, lacked)) {
      if (!peer.maySupply(bundle.length, step.now)) return;
      core.ports.transmit(bundle, [to], step);
    }
  }

  async #answer({ hello, messages, answered }: Heard, from: Member, to: Address, step: Step): Promise<void> {
    const { details, missing } = detailsFor(messages, this.core);
    if (missing > 0) this.#tellMissing(missing, from, step);
    const rejoin = await this.#request(hello, from, step);
    const rejoinNonce = hello.wantsRejoin ? this.rejoining.offerTo(from, step) : new Uint8Array();
    const wanted = hello.answers.length === 0 || rejoin !== undefined || (answered && (missing > 0 || rejoinNonce.length > 0));
    if (!wanted || hello.hop >= MOST_HOPS || !this.#peers.of(from.identity.device).mayAnswer(step.now)) return;
    this.#writer.send(from, to, { answers: hello.nonce, hop: hello.hop + 1, details, rejoinNonce, rejoin }, step);
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
    const isWanted = core.dead || core.wantsRejoin || core.expelled;
    if (rejoinNonce.length !== NONCE_BYTES || !isWanted || !this.#hope.isLeft) return undefined;
    if (!core.dead && !core.expelled && !this.#vote.isElsewhere(from.identity.device, step.now)) return undefined;
    core.ports.count('rejoin-asked');
    const { publicBytes } = await core.ports.newJoinPackage(core.id, step);
    const { engine } = core.ports;
    return rejoinRequest(core.id, rejoinNonce, publicBytes, (label, bytes) => engine.sign(label, bytes));
  }
}

function shuffled<T>(items: readonly T[], random: (length: number) => Uint8Array): T[] {
  const keyed = items.map((item) => ({ item, key: toHex(random(4)) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ item }) => item);
}
