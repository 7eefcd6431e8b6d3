import type { StateId } from '@sotto/mls';
import { fromHex } from '@sotto/protocol';
import type { Step } from './group-ports.js';

/** A message as it was sealed, kept so that it can be handed to a member who missed it. */
export interface LoggedMessage {
  readonly state: StateId;
  /** MLSMessage with a PrivateMessage. */
  readonly bytes: Uint8Array;
  /** Unix milliseconds. */
  readonly at: number;
  /** For one device alone: it is known here, named in no digest and handed to nobody. Its bytes are not kept. */
  readonly alone?: boolean | undefined;
}

/** Count of one state's messages, and exclusive-or of the first 8 bytes of their ids. */
export interface Digest {
  readonly count: number;
  readonly ids: Uint8Array;
}

export function sameDigest(a: Digest, b: Digest): boolean {
  return a.count === b.count && a.ids.length === b.ids.length && a.ids.every((byte, i) => byte === b.ids[i]);
}

interface OfState {
  readonly ids: Set<string>;
  digest: Digest;
}

const KEPT_MS = 14 * 86_400_000;
/** Of a message's id, in a digest. */
const SHORT_ID = 16;
const NO_MESSAGES: Digest = { count: 0, ids: new Uint8Array(SHORT_ID / 2) };
/** What one costs that is for one device alone: a record and no bytes. */
const RECORD_BYTES = 256;

/** Ciphertexts of the last 14 days, at most 64 MiB; the oldest make room. Ids are the first 16 bytes of a message's SHA-256, hex. */
export class MessageLog {
  readonly #messages = new Map<string, LoggedMessage>();
  readonly #byState = new Map<StateId, OfState>();
  #bytes = 0;
  #revision = 0;

  constructor(
    private readonly group: string,
    records: Iterable<[string, LoggedMessage]> = [],
    private readonly mostBytes = 64 * 1024 * 1024,
  ) {
    for (const [id, message] of records) this.#index(id, message);
  }

  /** Another number after each message that came or went: what was told of them before may not hold any more. */
  get revision(): number {
    return this.#revision;
  }

  has(id: string): boolean {
    return this.#messages.has(id);
  }

  add(id: string, message: LoggedMessage, step: Step): void {
    if (this.#messages.has(id)) return;
    this.#index(id, message);
    step.journal.put('log', `${this.group}/${id}`, message);
    while (this.#bytes > this.mostBytes) this.#drop(this.#messages.keys().next().value!, step);
  }

  /** Hands it to nobody from now on. */
  withhold(id: string, step: Step): void {
    const message = this.#messages.get(id);
    if (message === undefined || message.alone === true) return;
    this.#drop(id, step);
    this.add(id, { ...message, bytes: new Uint8Array(), alone: true }, step);
  }

  expire(step: Step): void {
    for (const [id, { at }] of this.#messages) {
      if (at > step.now - KEPT_MS) break;
      this.#drop(id, step);
    }
  }

  states(): Iterable<StateId> {
    return this.#byState.keys();
  }

  /** Whether there are any that are handed on. */
  hasOf(state: StateId): boolean {
    return this.#byState.has(state);
  }

  /** Oldest first. */
  of(state: StateId): [string, LoggedMessage][] {
    return [...(this.#byState.get(state)?.ids ?? [])].map((id) => [id, this.#messages.get(id)!]);
  }

  digest(state: StateId): Digest {
    return this.#byState.get(state)?.digest ?? NO_MESSAGES;
  }

  #index(id: string, message: LoggedMessage): void {
    this.#messages.set(id, message);
    this.#bytes += costOf(message);
    if (message.alone === true) return;
    const ofState = this.#byState.get(message.state) ?? { ids: new Set(), digest: NO_MESSAGES };
    this.#byState.set(message.state, ofState);
    ofState.ids.add(id);
    this.#digest(ofState, id);
  }

  #drop(id: string, step: Step): void {
    const message = this.#messages.get(id);
    if (message === undefined) return;
    this.#messages.delete(id);
    this.#bytes -= costOf(message);
    step.journal.remove('log', `${this.group}/${id}`);
    if (message.alone !== true) this.#unindex(id, message.state);
  }

  #unindex(id: string, state: StateId): void {
    const ofState = this.#byState.get(state)!;
    ofState.ids.delete(id);
    this.#digest(ofState, id);
    if (ofState.ids.size === 0) this.#byState.delete(state);
  }

  /** One of its messages came or went. */
  #digest(ofState: OfState, id: string): void {
    this.#revision++;
    const bytes = fromHex(id.slice(0, SHORT_ID));
    ofState.digest = { count: ofState.ids.size, ids: ofState.digest.ids.map((byte, i) => byte ^ bytes[i]!) };
  }
}

function costOf({ bytes, alone }: LoggedMessage): number {
  return alone === true ? RECORD_BYTES : bytes.length;
}
