import { create, toBinary } from '@bufbuild/protobuf';
import { decodeRecord, type HelloKey, sealHello } from '@sotto/client/core';
import { type Changes, encodeGroupData, decodeGroupData, type GroupState, type Member, type MlsEngine, MlsError } from '@sotto/mls';
import { EnvelopeSchema, fromHex, HelloSchema, Outcome } from '@sotto/protocol';
import type { Fault } from '../counters.js';
import type { Random } from '../random.js';
import type { Device } from './device.js';
import { commitId, hex } from './observed-engine.js';

const SLOT_BYTES = 32;
const HELLO_KEY_BYTES = 32;
const SHORT_BYTES = 8;
const NONCE_BYTES = 16;
const GENERATIONS_AHEAD = 1_000;
const MOST_MINTED = 64;
const NOTHING = new Uint8Array();

interface Place {
  readonly id: string;
  readonly state: GroupState;
}

export interface Minted {
  readonly id: string;
  readonly show: (to: Device) => void;
}

const isOf = ({ identity }: Device, member: Member) => member.identity.device === identity.device;

/** A member's device in wrong hands: beside what its program does, it sends whatever its keys allow, long after it is out. */
export class Hostile {
  /** States of its own minting: the newest are kept. */
  readonly #minted = new Map<string, GroupState>();
  /** What the disk held when it was last looked at, by the record of its ratchets. */
  readonly #states = new WeakMap<Uint8Array, GroupState>();

  constructor(
    readonly device: Device,
    /** It attacks this group alone. */
    private readonly group: () => string | undefined,
    /** Nobody has it there any more. */
    private readonly isOut: () => boolean,
    private readonly random: Random,
  ) {
    device.answers = (outcome) => this.#answer(outcome);
  }

  async act(): Promise<void> {
    const places = this.#places();
    if (places.length === 0 || !this.device.online) return;
    try {
      await this.#one(places);
    } catch (error) {
      // What its keys do not allow, say a commit of one who is removed in that state.
      if (!(error instanceof MlsError)) throw error;
    }
  }

  /** A branch of its own on that state, so many commits long, for all who are members there. */
  async branch(from: string, length: number): Promise<void> {
    const place = this.#places().find(({ id }) => id === from);
    if (place !== undefined) await this.#goOn(place, length);
  }

  /** One whose first commit only some can process. */
  async spoiltBranch(from: string, length: number): Promise<void> {
    const place = this.#places().find(({ id }) => id === from);
    if (place !== undefined) await this.#goOn(await this.#spoil(place), length - 1);
  }

  async #goOn(from: Place, length: number): Promise<void> {
    let place = from;
    for (let i = 0; i < length; i++)
      place = await this.#mint('hostile-commit-on-old-epoch', place, this.#harmless(place.state), this.#others(place.state));
  }

  /** So many commits on one state, which nobody has yet; the one that the fork rule likes best comes first. */
  async siblings(on: string, count: number): Promise<Minted[]> {
    const place = this.#places().find(({ id }) => id === on);
    if (place === undefined) return [];
    const minted: Minted[] = [];
    for (let i = 0; i < count; i++) {
      const { id, envelope } = await this.#made(place, this.#harmless(place.state));
      const recipients = this.#others(place.state);
      minted.push({
        id,
        show: (to) =>
          this.#send(
            'hostile-sibling',
            envelope,
            recipients.filter((each) => isOf(to, each)),
          ),
      });
    }
    return minted.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  #one(places: readonly Place[]): Promise<unknown> | void {
    const newest = places.reduce((a, b) => (b.state.epoch > a.state.epoch ? b : a));
    const any = this.random.pick(places);
    return this.random.weighted<() => Promise<unknown> | void>([
      [() => this.#commit('hostile-commit', newest), 3],
      [() => this.#commit('hostile-commit-on-old-epoch', any), 3],
      [() => this.#remove(this.random.chance(0.5) ? newest : any), 1],
      [() => this.#withhold(newest), 1],
      [() => this.#spoil(newest), 1],
      [() => this.#squat(newest), 2],
      [() => this.#junk(newest), 1],
      [() => this.#lie(newest), 2],
    ])();
  }

  // --- commits

  async #commit(fault: Fault, { state, id }: Place): Promise<void> {
    await this.#mint(fault, { state, id }, this.#harmless(state), this.#others(state));
  }

  async #remove({ state, id }: Place): Promise<void> {
    const others = this.#others(state);
    if (others.length === 0) return;
    await this.#mint('hostile-removal', { state, id }, { remove: [this.random.pick(others).leaf] }, others);
  }

  /** Some members get it, the others are to hear of it from them. */
  async #withhold({ state, id }: Place): Promise<void> {
    const some = this.#others(state).filter(() => this.random.chance(0.4));
    if (some.length > 0) await this.#mint('hostile-withheld', { state, id }, this.#harmless(state), some);
  }

  /** A commit whose path only some can open: half of the keys that it is sealed to get what they can't open. */
  async #spoil({ state, id }: Place): Promise<Place> {
    const { provider, engineWith } = this.device.identity;
    const spoilt = await engineWith({
      ...provider,
      x25519: (secret, peer) => (peer[0]! % 2 === 0 ? provider.x25519(secret, peer) : this.random.bytes(peer.length)),
    });
    const place = await this.#mint('hostile-partial-commit', { state, id }, {}, this.#others(state), spoilt);
    this.device.world.ledger.spoilt.set(place.id, new Set());
    return place;
  }

  #harmless(state: GroupState): Changes {
    if (this.random.chance(0.5)) return {};
    const data = decodeGroupData(this.device.identity.engine.groupData(state));
    return { groupData: encodeGroupData({ ...data, name: `hostile ${this.random.whole(0, 1_000)}` }) };
  }

  async #mint(fault: Fault, on: Place, changes: Changes, to: readonly Member[], engine?: MlsEngine): Promise<Place> {
    const { envelope, ...place } = await this.#made(on, changes, engine);
    this.#send(fault, envelope, to);
    if (to.length > 0 && this.isOut()) this.device.world.counters.count('hostile-after-removal');
    return place;
  }

  async #made({ state, id }: Place, changes: Changes, engine = this.device.identity.engine): Promise<Place & { envelope: Uint8Array }> {
    const made = await engine.commit(state, changes, Math.floor(this.device.now / 1_000));
    const place = { id: commitId(made.commit), state: made.state };
    this.#keep(place);
    const value = { parent: fromHex(id), message: made.commit };
    return { ...place, envelope: toBinary(EnvelopeSchema, create(EnvelopeSchema, { kind: { case: 'commit', value } })) };
  }

  #keep({ id, state }: Place): void {
    this.#minted.set(id, state);
    if (this.#minted.size > MOST_MINTED) this.#minted.delete(this.#minted.keys().next().value!);
  }

  // --- slots, junk and lies

  async #squat({ state }: Place): Promise<void> {
    const slot = await this.device.identity.engine.exporter(state, 'sotto commit slot', NOTHING, SLOT_BYTES);
    const commit = hex(this.random.bytes(NONCE_BYTES));
    this.#send('hostile-slot', this.random.bytes(64), this.#others(state).slice(0, 1), { slot, commit });
  }

  #junk({ state }: Place): void {
    const value = { state: this.random.bytes(NONCE_BYTES), message: this.random.bytes(200) };
    const envelopes = [this.random.bytes(300), toBinary(EnvelopeSchema, create(EnvelopeSchema, { kind: { case: 'application', value } }))];
    const supply = create(EnvelopeSchema, { kind: { case: 'supply', value: { group: state.groupId, envelopes } } });
    this.#send('hostile-junk', this.random.pick([...envelopes, toBinary(EnvelopeSchema, supply)]), this.#others(state));
  }

  /** A branch that is not there, and later messages of the recipient than it ever sealed. */
  async #lie(place: Place): Promise<void> {
    const { engine, device } = this.device.identity;
    const members = engine.members(place.state);
    const own = members.find(({ leaf }) => leaf === place.state.ownLeaf);
    const key: HelloKey = { by: place.id, key: await engine.exporter(place.state, 'sotto hello', NOTHING, HELLO_KEY_BYTES) };
    for (const to of this.#others(place.state)) {
      const hello = create(HelloSchema, {
        group: place.state.groupId,
        sender: fromHex(device),
        recipient: fromHex(to.identity.device),
        leaf: fromHex(own?.id ?? ''),
        nonce: this.random.bytes(NONCE_BYTES),
        token: own?.address.token ?? NOTHING,
        headEpoch: place.state.epoch + BigInt(this.random.whole(0, 40)),
        path: this.random.bytes(SHORT_BYTES * this.random.whole(1, 5)),
        heldFrom: BigInt(this.random.whole(0, Number(place.state.epoch))),
        seen: [{ state: fromHex(place.id).subarray(0, SHORT_BYTES), generation: this.random.whole(0, GENERATIONS_AHEAD) }],
        wantsRejoin: this.random.chance(0.5),
      });
      const random = (length: number) => this.random.bytes(length);
      this.#send(
        'hostile-lying-hello',
        sealHello(hello, [key], { random, sign: (bytes) => engine.sign('hello', bytes) }),
        [to],
        undefined,
        false,
      );
    }
  }

  #answer(outcome: Outcome): Outcome {
    if (!this.random.chance(0.3)) return outcome;
    const lie = this.random.pick([Outcome.STORED, Outcome.CANNOT]);
    if (lie !== outcome) this.device.world.counters.count(lie === Outcome.STORED ? 'hostile-false-stored' : 'hostile-false-cannot');
    return lie;
  }

  // --- what it has

  #places(): Place[] {
    const group = this.group();
    if (group === undefined) return [];
    const { disk } = this.device;
    const ratchets = disk.read('ratchets');
    const stored = [...disk.read('epochs')].flatMap(([key, epoch]) => {
      const [of, id] = key.split('/');
      const ratchet = ratchets.get(key);
      if (of !== group || id === undefined || ratchet === undefined) return [];
      return [{ id, state: this.#restored(epoch, ratchet) }];
    });
    return [...stored, ...[...this.#minted].map(([id, state]) => ({ id, state }))];
  }

  /** Records are replaced and never changed, so that of the ratchets stands for one state. */
  #restored(epoch: Uint8Array, ratchets: Uint8Array): GroupState {
    const known = this.#states.get(ratchets);
    if (known !== undefined) return known;
    const state = this.device.identity.engine.deserialiseParts(decodeRecord(epoch), decodeRecord(ratchets));
    this.#states.set(ratchets, state);
    return state;
  }

  #others(state: GroupState): Member[] {
    return this.device.identity.engine.members(state).filter(({ identity }) => identity.device !== this.device.identity.device);
  }

  #send(fault: Fault, payload: Uint8Array, to: readonly Member[], slot?: { slot: Uint8Array; commit: string }, held = true): void {
    if (to.length > 0) this.device.world.counters.count(fault);
    const recipients = to.map(({ address }) => ({ device: address.device, token: address.token }));
    this.device.send({ id: hex(this.random.bytes(NONCE_BYTES)), recipients, payload, held, slot });
  }
}
