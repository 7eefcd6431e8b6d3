import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  EnvelopeSchema,
  fromHex,
  type Hello,
  type HelloEnvelope,
  HelloSchema,
  SignedHelloSchema,
  toHex,
  TOKEN_BYTES,
} from '@sotto/protocol';
import { openRecord, sealRecord } from '../sodium.js';

/** A key that sender and recipient may both have: of a state (hex of its id) or a greeting. */
export interface HelloKey {
  readonly by: string;
  readonly key: Uint8Array;
}

const KEY_BYTES = 32;
const MOST_KEYS = 64;
/** Of one hello: states named in its lists, and ids of commits. */
const MOST_STATES = 512;
const MOST_IDS = 2_500;
export const SHORT_BYTES = 8;
export const short = (id: string): string => id.slice(0, 2 * SHORT_BYTES);

/** Ids cut to 8 bytes, one after the other. */
export function packShort(ids: Iterable<string>): Uint8Array {
  return fromHex([...ids].map(short).join(''));
}

export function unpackShort(bytes: Uint8Array): string[] {
  const ids: string[] = [];
  for (let at = 0; at + SHORT_BYTES <= bytes.length; at += SHORT_BYTES) ids.push(toHex(bytes.subarray(at, at + SHORT_BYTES)));
  return ids;
}

export interface HelloMaker {
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  readonly random: (length: number) => Uint8Array;
}

const NO_BYTES = new Uint8Array(0);
const text = new TextEncoder();

/** What the parts of a hello are bound to: in bytes, as one of them is asked for with each key. */
function namesOf(group: Uint8Array): { readonly ofKey: Uint8Array; readonly ofHello: Uint8Array } {
  const id = toHex(group);
  return { ofKey: text.encode(`hello key ${id}`), ofHello: text.encode(`hello ${id}`) };
}

/** An Envelope with a signed hello, readable to whoever has one of the keys. `shows`: more of its fields, serialised. */
export function sealHello(hello: Hello, keys: readonly HelloKey[], { sign, random }: HelloMaker, shows: Uint8Array = NO_BYTES): Uint8Array {
  const says = toBinary(HelloSchema, hello);
  const bytes = new Uint8Array(says.length + shows.length);
  bytes.set(says);
  bytes.set(shows, says.length);
  const signed = toBinary(SignedHelloSchema, create(SignedHelloSchema, { hello: bytes, signature: sign(bytes) }));
  const key = random(KEY_BYTES);
  const { ofKey, ofHello } = namesOf(hello.group);
  const value = {
    group: hello.group,
    keys: keys.map((each) => ({ by: fromHex(short(each.by)), sealed: sealRecord(key, ofKey, each.key, random) })),
    sealed: sealRecord(signed, ofHello, key, random),
  };
  return toBinary(EnvelopeSchema, create(EnvelopeSchema, { kind: { case: 'hello', value } }));
}

export interface OpenedHello {
  /** The first 8 bytes, in hex, of what its key belongs to: a state, or a greeting. */
  readonly by: string;
  readonly hello: Hello;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}

/** Undefined when none of the keys is here, or it is no hello. The signature is still to be checked. */
export function openHello(envelope: HelloEnvelope, keyOf: (by: string) => Uint8Array | undefined): OpenedHello | undefined {
  const { ofKey, ofHello } = namesOf(envelope.group);
  for (const { by, sealed } of envelope.keys.slice(0, MOST_KEYS)) {
    const shared = keyOf(toHex(by));
    const key = shared && openRecord(sealed, ofKey, shared);
    const signed = key && openRecord(envelope.sealed, ofHello, key);
    if (signed !== undefined) return parse(signed, toHex(by));
  }
  return undefined;
}

function parse(signed: Uint8Array, by: string): OpenedHello | undefined {
  try {
    const { hello: bytes, signature } = fromBinary(SignedHelloSchema, signed);
    const hello = fromBinary(HelloSchema, bytes);
    return isBounded(hello) ? { by, hello, bytes, signature } : undefined;
  } catch {
    return undefined;
  }
}

function isBounded({ token, digests, details, seen, path, others }: Hello): boolean {
  const lists = [digests, details, seen].every(({ length }) => length <= MOST_STATES);
  const ids = [path, others].every(({ length }) => length <= MOST_IDS * SHORT_BYTES);
  return lists && ids && (token.length === 0 || token.length === TOKEN_BYTES);
}
