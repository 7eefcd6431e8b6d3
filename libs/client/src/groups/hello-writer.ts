import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { LeafId, Member, StateId } from '@sotto/mls';
import { fromHex, type Hello, HelloSchema, LeaveStatementSchema, type LeaveStatement, toHex } from '@sotto/protocol';
import type { GroupCore } from './group-core.js';
import type { Address, Step } from './group-ports.js';
import { type HelloKey, packShort, sealHello } from './hello.js';
import type { Hope } from './hope.js';
import type { Peers } from './peers.js';
import { leaveStatementBytes } from './statements.js';
import { digestsOf, namedStates } from './supply.js';

const NOTHING = new Uint8Array(0);
const NONCE_BYTES = 16;
const MOST_NONCES = 64;
/** Other commits named in one hello. */
const MOST_OTHERS = 2_000;

/** What a hello shows of this device, to whomever it goes. */
interface Standing {
  /** Of the branches and the log that it was made from. */
  readonly revisions: { readonly branches: number; readonly log: number };
  /** Path, others and digests: serialised, as they make up most of a hello. */
  readonly shows: Uint8Array;
  readonly named: readonly StateId[];
}

export type HelloInit = Exclude<MessageInitShape<typeof HelloSchema>, Hello>;

/** Says to one member what this device has, and what it wants. */
export class HelloWriter {
  /** Of own hellos, which an answer names. */
  readonly #nonces = new Set<string>();
  #lastStanding: Standing | undefined;

  constructor(
    private readonly core: GroupCore,
    private readonly peers: Peers,
    private readonly hope: Hope,
  ) {}

  /** A hello that shows where this device stands. Returns the id of the Send. */
  send(to: Member, address: Address, more: HelloInit, step: Step): string {
    const { shows, named } = this.#standing();
    return this.#seal({ nonce: this.#newNonce(), ...this.#saysTo(to, named), ...more }, shows, to, address, step);
  }

  /** One that asks for an answer, and tells nothing of where this device stands. Returns the id of the Send. */
  sendQuestion(to: Member, address: Address, token: Uint8Array, step: Step): string {
    return this.sendBare({ nonce: this.#newNonce(), hop: 1, token }, to, address, step);
  }

  /** One that says nothing else. */
  sendBare(says: HelloInit, to: Member, address: Address, step: Step): string {
    return this.#seal(says, NOTHING, to, address, step);
  }

  #seal(says: HelloInit, shows: Uint8Array, to: Member, address: Address, step: Step): string {
    const { id, ports } = this.core;
    const { engine, random, own } = ports;
    const hello = create(HelloSchema, { group: fromHex(id), sender: fromHex(own.device), recipient: fromHex(address.device), ...says });
    const sealed = sealHello(hello, this.#keysFor(to), { random, sign: (bytes) => engine.sign('hello', bytes) }, shows);
    return ports.transmit(sealed, [address], step);
  }

  /** Whether it answers a hello of this device, for the first time. */
  takeAnswer({ answers }: Hello): boolean {
    return this.#nonces.delete(toHex(answers));
  }

  /** Of a state that is known here, by the first 8 bytes of its id. */
  keyOf(by: string): Uint8Array | undefined {
    const { branches } = this.core;
    const state = branches.byShort(by);
    return state === undefined ? undefined : branches.helloKey(state);
  }

  #newNonce(): Uint8Array {
    const nonce = this.core.ports.random(NONCE_BYTES);
    this.#nonces.add(toHex(nonce));
    if (this.#nonces.size > MOST_NONCES) this.#nonces.delete(this.#nonces.values().next().value!);
    return nonce;
  }

  #saysTo(to: Member, named: readonly StateId[]): HelloInit {
    const { core, hope } = this;
    const { branches, ownLeaf } = core;
    return {
      leaf: fromHex(ownLeaf?.id ?? ''),
      token: core.answerToken,
      headEpoch: BigInt(branches.headEpoch),
      heldFrom: BigInt(branches.epoch(branches.root)!),
      seen: this.#seenOf(to, named),
      wantsRejoin: (core.dead || core.wantsRejoin || core.expelled) && hope.isLeft,
      ...(!hope.isLeft && ownLeaf && { left: this.#leaveStatement(this.#leafBeside(to) ?? ownLeaf.id) }),
    };
  }

  /** Made anew when commits, states or messages have come or gone: most hellos show what the one before did. */
  #standing(): Standing {
    const { branches, log } = this.core;
    const last = this.#lastStanding;
    if (last?.revisions.branches === branches.revision && last.revisions.log === log.revision) return last;
    const path = packShort(branches.path);
    const others = packShort(this.#others().slice(-MOST_OTHERS));
    return (this.#lastStanding = {
      revisions: { branches: branches.revision, log: log.revision },
      shows: toBinary(HelloSchema, create(HelloSchema, { path, others, digests: digestsOf(this.core) })),
      named: namedStates(branches),
    });
  }

  /** Commits beside the own branch, and those that are judged invalid or out of reach. */
  #others(): StateId[] {
    const { branches } = this.core;
    const onPath = new Set(branches.path);
    const known = new Set([...branches.commits.keys(), ...branches.refusedIds(), ...branches.unreachableIds()]);
    return [...known].filter((id) => !onPath.has(id));
  }

  /** This device's leaf as the other lists it, as far as its path is known here: on another branch it may be an earlier one. */
  #leafBeside({ identity }: Member): LeafId | undefined {
    const { branches } = this.core;
    const states = this.peers.shownBy(identity.device)?.path.map((each) => branches.byShort(each)) ?? [];
    const newest = states.find((id) => id !== undefined && branches.holds(id));
    return newest && branches.ownLeaf(newest)?.id;
  }

  #leaveStatement(leaf: string): LeaveStatement {
    const { engine } = this.core.ports;
    return create(LeaveStatementSchema, { leaf: fromHex(leaf), signature: engine.sign('leave', leaveStatementBytes(this.core.id, leaf)) });
  }

  #seenOf({ identity }: Member, named: readonly StateId[]) {
    return named.flatMap((id) => {
      const next = this.core.branches.generations(id).get(identity.device);
      return next === undefined ? [] : [{ state: packShort([id]), generation: next - 1 }];
    });
  }

  /** Keys of states that the other may hold: the head and states at growing distance before it, those where either began, one of the other's path. */
  #keysFor({ id: leaf, identity: { device } }: Member): HelloKey[] {
    const { branches } = this.core;
    const { path } = branches;
    const ids = new Set<StateId>();
    for (let distance = 0; distance < path.length; distance = Math.max(1, 2 * distance)) ids.add(path[distance]!);
    for (const id of branches.roots.keys()) ids.add(id);
    const entry = branches.membership.entryOf(leaf);
    if (entry !== undefined) ids.add(entry);
    const { shown, sealedBy } = this.peers.of(device);
    // On its own path, whichever branch that is: the newest that is known here.
    const theirs = shown?.path.find((each) => this.keyOf(each) !== undefined);
    // It has the keys by which it seals, though they may be of a state that lies below its path.
    for (const each of [theirs, sealedBy]) {
      const state = branches.byShort(each ?? '');
      if (state !== undefined) ids.add(state);
    }
    return [...ids].flatMap((by) => {
      const key = branches.helloKey(by);
      return key === undefined ? [] : [{ by, key }];
    });
  }
}
