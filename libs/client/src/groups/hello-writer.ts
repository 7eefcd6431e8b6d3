import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { Member, StateId } from '@sotto/mls';
import { fromHex, type Hello, HelloSchema, LeaveStatementSchema, type LeaveStatement, toHex } from '@sotto/protocol';
import type { GroupCore } from './group-core.js';
import type { Address, Step } from './group-ports.js';
import { type HelloKey, packShort, sealHello } from './hello.js';
import type { Hope } from './hope.js';
import type { Peers } from './peers.js';
import { leaveStatementBytes } from './statements.js';
import { digestsOf, namedStates } from './supply.js';

const NONCE_BYTES = 16;
const MOST_NONCES = 64;
/** Other commits named in one hello. */
const MOST_OTHERS = 2_000;

export type HelloInit = Exclude<MessageInitShape<typeof HelloSchema>, Hello>;

/** Says to one member what this device has, and what it wants. */
export class HelloWriter {
  /** Of own hellos, which an answer names. */
  readonly #nonces = new Set<string>();

  constructor(
    private readonly core: GroupCore,
    private readonly peers: Peers,
    private readonly hope: Hope,
  ) {}

  /** A hello that shows where this device stands. Returns the id of the Send. */
  send(to: Member, address: Address, more: HelloInit, step: Step): string {
    return this.sendBare({ nonce: this.#newNonce(), ...this.#standing(to), ...more }, to, address, step);
  }

  /** One that asks for an answer, and tells nothing of where this device stands. Returns the id of the Send. */
  sendQuestion(to: Member, address: Address, token: Uint8Array, step: Step): string {
    return this.sendBare({ nonce: this.#newNonce(), hop: 1, token }, to, address, step);
  }

  /** One that says nothing else. */
  sendBare(says: HelloInit, to: Member, address: Address, step: Step): string {
    const { id, ports } = this.core;
    const { engine, random, own } = ports;
    const hello = create(HelloSchema, { group: fromHex(id), sender: fromHex(own.device), recipient: fromHex(address.device), ...says });
    const sealed = sealHello(hello, this.#keysFor(to), { random, sign: (bytes) => engine.sign('hello', bytes) });
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

  #standing(to: Member): HelloInit {
    const { core, hope } = this;
    const { branches, ownLeaf, head } = core;
    const path = branches.tree.path(head);
    const onPath = new Set(path);
    const known = [...branches.commits.keys(), ...branches.refusedIds(), ...branches.unreachableIds()];
    const others = [...new Set(known)].filter((id) => !onPath.has(id));
    return {
      leaf: fromHex(ownLeaf?.id ?? ''),
      token: core.answerToken,
      headEpoch: BigInt(branches.headEpoch),
      path: packShort(path),
      others: packShort(others.slice(-MOST_OTHERS)),
      heldFrom: BigInt(branches.epoch(branches.root)!),
      digests: digestsOf(core),
      seen: this.#seenOf(to),
      wantsRejoin: (core.dead || core.wantsRejoin || core.expelled) && hope.isLeft,
      ...(!hope.isLeft && ownLeaf && { left: this.#leaveStatement(ownLeaf.id) }),
    };
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

  /** Keys of states that the other may hold: the head and states at growing distance before it, those where either began, one of the other's path. */
  #keysFor({ id: leaf, identity: { device } }: Member): HelloKey[] {
    const { branches } = this.core;
    const path = branches.tree.path(branches.head);
    const ids = new Set<StateId>();
    for (let distance = 0; distance < path.length; distance = Math.max(1, 2 * distance)) ids.add(path[distance]!);
    for (const id of branches.roots.keys()) ids.add(id);
    const entry = branches.entryOf(leaf);
    if (entry !== undefined) ids.add(entry);
    // On its own path, whichever branch that is: the newest that is known here.
    const theirs = this.peers.shownBy(device)?.path.find((each) => this.keyOf(each) !== undefined);
    if (theirs !== undefined) ids.add(branches.byShort(theirs)!);
    return [...ids].flatMap((by) => {
      const key = branches.helloKey(by);
      return key === undefined ? [] : [{ by, key }];
    });
  }
}
