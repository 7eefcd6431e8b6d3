import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { Member } from '@sotto/mls';
import { EnvelopeSchema, fromHex, SignedTypingSchema, toHex, type Typing, type TypingEnvelope, TypingSchema } from '@sotto/protocol';
import { openRecord, sealRecord } from '../sodium.js';
import { addressOf, type GroupCore } from './group-core.js';
import type { Step } from './group-ports.js';

const KEY_BYTES = 32;
/** Every word of it goes to each device at once. */
const MOST_DEVICES = 50;
/** Beyond this a clock is wrong, or somebody repeats what was said before. */
const FRESH_MS = 60_000;

/**
 * Notices that somebody is writing. They are sealed under a secret of the epoch, so that members alone read them, and signed by the leaf, so
 * that no member speaks for another; no ratchet moves for them, and nothing of them is kept, logged or owed.
 */
export class TypingNotices {
  /** When each device last said so, by its clock. */
  readonly #last = new Map<string, number>();

  constructor(private readonly core: GroupCore) {}

  /** To whoever is there, unless nothing may be sent here or there are too many. */
  async tell(step: Step): Promise<void> {
    const { core } = this;
    const { others, head, hold, retired } = core;
    if (hold !== undefined || retired || others.length === 0 || others.length > MOST_DEVICES) return;
    const { engine, own, random } = core.ports;
    const named = { group: fromHex(core.id), state: fromHex(head) };
    const typing = toBinary(TypingSchema, create(TypingSchema, { ...named, sender: fromHex(own.device), at: BigInt(step.now) }));
    const signed = toBinary(SignedTypingSchema, create(SignedTypingSchema, { typing, signature: engine.sign('typing', typing) }));
    const sealed = sealRecord(signed, this.#name, await this.#keyOf(head), random);
    const envelope = create(EnvelopeSchema, { kind: { case: 'typing', value: { ...named, sealed } } });
    core.ports.transmit(toBinary(EnvelopeSchema, envelope), others.map(addressOf), step);
  }

  /** Who is writing; undefined when it is nobody's word, or an old one. */
  async hear(envelope: TypingEnvelope, { now }: Step): Promise<Member | undefined> {
    const { core } = this;
    const state = toHex(envelope.state);
    if (core.retired || core.branches.state(state) === undefined) return undefined;
    const signed = openRecord(envelope.sealed, this.#name, await this.#keyOf(state));
    const typing = signed && this.#verified(signed, state);
    if (typing === undefined) return undefined;
    const at = Number(typing.at);
    const device = toHex(typing.sender);
    if (Math.abs(at - now) > FRESH_MS || at <= (this.#last.get(device) ?? 0)) return undefined;
    this.#last.set(device, at);
    return core.member(device);
  }

  #verified(signed: Uint8Array, state: string): Typing | undefined {
    const { core } = this;
    try {
      const { typing: bytes, signature } = fromBinary(SignedTypingSchema, signed);
      const typing = fromBinary(TypingSchema, bytes);
      const device = toHex(typing.sender);
      const from = core.branches.members(state).find(({ identity }) => identity.device === device);
      const isHere = toHex(typing.group) === core.id && toHex(typing.state) === state && device !== core.ports.own.device;
      return isHere && from !== undefined && core.ports.engine.verify(from.signatureKey, 'typing', bytes, signature) ? typing : undefined;
    } catch {
      return undefined;
    }
  }

  get #name(): string {
    return `typing ${this.core.id}`;
  }

  #keyOf(state: string): Promise<Uint8Array> {
    const { branches, ports } = this.core;
    return ports.engine.exporter(branches.state(state)!, 'sotto typing', new Uint8Array(0), KEY_BYTES);
  }
}
