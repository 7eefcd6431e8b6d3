import { decodeGroupData, type GroupData, type GroupState, type Member, type MlsEngine, type StateId } from '@sotto/mls';
import type { Step } from './group-ports.js';
import { MOST_PASSED_STATES, PASSED_STATES_MS } from './group-rules.js';

/** The MLS states that a device has of a group, on every branch, and what they say. Durable with the step that changes them. */
export class HeldStates {
  readonly #states = new Map<StateId, GroupState>();
  readonly #members = new Map<StateId, readonly Member[]>();
  readonly #others = new Map<StateId, readonly Member[]>();
  readonly #ownLeaves = new Map<StateId, Member | undefined>();
  readonly #data = new Map<StateId, GroupData>();
  readonly #generations = new Map<StateId, ReadonlyMap<string, number>>();
  /** In the step that is under way. */
  readonly #used = new Set<StateId>();
  /** When states older than what can be compared were passed, or this program started after that. Oldest first. */
  readonly #passedAt = new Map<StateId, number>();
  /** States have come since that was last asked. */
  #hasGrown = true;
  #revision = 0;

  constructor(
    private readonly group: string,
    private readonly engine: MlsEngine,
  ) {}

  /** Another number after each state that came or went. */
  get revision(): number {
    return this.#revision;
  }

  has(id: StateId): boolean {
    return this.#states.has(id);
  }

  get(id: StateId): GroupState | undefined {
    return this.#states.get(id);
  }

  all(): ReadonlyMap<StateId, GroupState> {
    return this.#states;
  }

  /** The oldest epoch of which one is held. */
  get from(): number {
    return Math.min(...[...this.#states.values()].map(({ epoch }) => Number(epoch)));
  }

  members(id: StateId): readonly Member[] {
    const known = this.#members.get(id);
    if (known !== undefined) return known;
    const held = this.#states.get(id);
    if (held === undefined) return [];
    const members = this.engine.members(held);
    this.#members.set(id, members);
    return members;
  }

  /** Members but for this device. */
  others(id: StateId): readonly Member[] {
    const known = this.#others.get(id);
    if (known !== undefined) return known;
    const { device } = this.engine.ownIdentity;
    const others = this.members(id).filter(({ identity }) => identity.device !== device);
    if (this.#states.has(id)) this.#others.set(id, others);
    return others;
  }

  /** Of a state that is held. */
  data(id: StateId): GroupData {
    const known = this.#data.get(id);
    if (known !== undefined) return known;
    const data = decodeGroupData(this.engine.groupData(this.#states.get(id)!));
    this.#data.set(id, data);
    return data;
  }

  ownLeaf(id: StateId): Member | undefined {
    if (this.#ownLeaves.has(id)) return this.#ownLeaves.get(id);
    const held = this.#states.get(id);
    if (held === undefined) return undefined;
    const own = this.members(id).find(({ leaf }) => leaf === held.ownLeaf);
    this.#ownLeaves.set(id, own);
    return own;
  }

  /** Of messages, by the devices that have used any: the next of this device, one past the highest opened of another. */
  generations(id: StateId): ReadonlyMap<string, number> {
    const known = this.#generations.get(id);
    if (known !== undefined) return known;
    const generations = new Map<string, number>();
    const held = this.#states.get(id);
    if (held === undefined) return generations;
    for (const { leaf, identity } of this.members(id)) {
      const next = this.engine.generationOf(held, leaf);
      if (next > 0) generations.set(identity.device, next);
    }
    this.#generations.set(id, generations);
    return generations;
  }

  // --- coming and going

  restore(id: StateId, epochPart: Uint8Array, ratchets: Uint8Array): void {
    this.#set(id, this.engine.deserialiseParts(epochPart, ratchets));
    this.#revision++;
  }

  keep(id: StateId, state: GroupState, step: Step): void {
    this.#set(id, state);
    this.#revision++;
    this.#hasGrown = true;
    step.journal.put('epochs', `${this.group}/${id}`, this.engine.serialiseEpoch(state));
    step.journal.put('ratchets', `${this.group}/${id}`, this.engine.serialiseRatchets(state));
  }

  /** It changed by sealing or opening a message: only its ratchets are written, once at the end of the step, however many messages it holds. */
  use(id: StateId, state: GroupState, { journal }: Step): void {
    this.#set(id, state);
    this.#used.add(id);
    journal.lastly(this, () => {
      for (const each of this.#used) {
        const used = this.#states.get(each);
        if (used !== undefined) journal.put('ratchets', `${this.group}/${each}`, this.engine.serialiseRatchets(used));
      }
      this.#used.clear();
    });
  }

  drop(id: StateId, { journal }: Pick<Step, 'journal'>): void {
    this.#states.delete(id);
    this.#revision++;
    this.#members.delete(id);
    this.#others.delete(id);
    this.#ownLeaves.delete(id);
    this.#data.delete(id);
    this.#generations.delete(id);
    this.#passedAt.delete(id);
    journal.remove('epochs', `${this.group}/${id}`);
    journal.remove('ratchets', `${this.group}/${id}`);
  }

  /** Under one id members and data stay what they are. */
  #set(id: StateId, state: GroupState): void {
    this.#states.set(id, state);
    this.#ownLeaves.delete(id);
    this.#generations.delete(id);
  }

  /** Whether states have come since the last call. */
  takeGrown(): boolean {
    const hasGrown = this.#hasGrown;
    this.#hasGrown = false;
    return hasGrown;
  }

  /** Lets go of those from before an epoch, some time after they were passed, but for the head. */
  dropPassed(oldestEpoch: number, head: StateId, step: Step): void {
    const { now } = step;
    for (const [id, state] of this.#states) if (Number(state.epoch) < oldestEpoch && !this.#passedAt.has(id)) this.#passedAt.set(id, now);
    for (const [id, at] of this.#passedAt) {
      if (at > now - PASSED_STATES_MS && this.#passedAt.size <= MOST_PASSED_STATES) break;
      if (id !== head) this.drop(id, step);
    }
  }
}
