import { LIMITS } from '@sotto/protocol';
import { ChannelError } from './error.js';
import { CHANNEL_KEY_BYTES, type DirectionKeys, rekey } from './key-schedule.js';
import { boxLength, LENGTH_BYTES, MAX_FRAMES_BYTES, MIN_PLAINTEXT_BYTES, plaintextLength, TAG_BYTES } from './padding.js';
import { BOX_AT, KEYS_AT, NONCE_AT, type Scratch, sharedScratch } from './scratch.js';

export const BOXES_PER_KEY = 4_096;
const SEND = 0;
const RECEIVE = CHANNEL_KEY_BYTES;

/**
 * An open channel: seals what this side sends, opens what the other side sent, in order. Synchronous and without I/O.
 * A box that is altered, replayed, lost or out of order fails its tag, and with it the channel is over.
 * A connection keeps this object, 64 bytes of keys and the binding, nothing more.
 */
export class SealedChannel {
  /** Both keys in one array of at most 64 bytes, which V8 keeps inside the object. */
  readonly #keys = new Uint8Array(2 * CHANNEL_KEY_BYTES);
  #sent = 0;
  #received = 0;
  #closed = false;

  /** @param binding hash of both hellos, 32 bytes: what the two sides may sign to prove that they meant this connection. */
  constructor(
    readonly binding: Uint8Array,
    keys: DirectionKeys,
    side: 'client' | 'server',
  ) {
    this.#keys.set(side === 'client' ? keys.clientToServer : keys.serverToClient, SEND);
    this.#keys.set(side === 'client' ? keys.serverToClient : keys.clientToServer, RECEIVE);
  }

  /**
   * One box with these Frames bytes, given whole or in parts of `totalLength` bytes together.
   * Throws `too-large` over MAX_FRAMES_BYTES (nothing is used up), `closed` after close.
   */
  seal(frames: Uint8Array): Uint8Array;
  seal(parts: readonly Uint8Array[], totalLength: number): Uint8Array;
  seal(frames: Uint8Array | readonly Uint8Array[], totalLength?: number): Uint8Array {
    const length = frames instanceof Uint8Array ? frames.length : totalLength!;
    const box = new Uint8Array(boxLength(length));
    this.sealInto(box, 0, frames, length);
    return box;
  }

  /** As `seal`, into `target` from `start` on, where `boxLength(length)` bytes are written. */
  sealInto(target: Uint8Array, start: number, frames: Uint8Array | readonly Uint8Array[], length: number): void {
    if (this.#closed) throw new ChannelError('closed');
    if (length > MAX_FRAMES_BYTES) throw new ChannelError('too-large');
    const padded = plaintextLength(length);
    if (target.length - start < padded + TAG_BYTES) throw new RangeError('no room for the box');
    const scratch = sharedScratch();
    const at = scratch.base + BOX_AT;
    writePlaintext(scratch.raw.HEAPU8, at, frames, length, padded);
    this.#load(scratch, this.#sent);
    const key = scratch.base + KEYS_AT + SEND;
    scratch.raw._crypto_aead_chacha20poly1305_ietf_encrypt(at, 0, at, padded, 0, 0, 0, 0, 0, scratch.base + NONCE_AT, key);
    this.#sent++;
    if (this.#sent % BOXES_PER_KEY === 0) rekey(this.#keys, SEND);
    target.set(scratch.raw.HEAPU8.subarray(at, at + padded + TAG_BYTES), start);
  }

  /**
   * The Frames bytes of the next box, without padding, in memory from `room`: by default of their own.
   * Whatever it throws (`tag-failed`, `malformed`, `too-large`), the channel is closed.
   */
  open(box: Uint8Array, room: (length: number) => Uint8Array = ownRoom): Uint8Array {
    if (this.#closed) throw new ChannelError('closed');
    if (box.length > LIMITS.boxBytes) this.#fail('too-large');
    if (box.length < MIN_PLAINTEXT_BYTES + TAG_BYTES) this.#fail('malformed');
    const scratch = sharedScratch();
    const at = scratch.base + BOX_AT;
    scratch.raw.HEAPU8.set(box, at);
    this.#load(scratch, this.#received);
    const key = scratch.base + KEYS_AT + RECEIVE;
    const nonce = scratch.base + NONCE_AT;
    if (scratch.raw._crypto_aead_chacha20poly1305_ietf_decrypt(at, 0, 0, at, box.length, 0, 0, 0, 0, nonce, key) !== 0) {
      this.#fail('tag-failed');
    }
    this.#received++;
    if (this.#received % BOXES_PER_KEY === 0) rekey(this.#keys, RECEIVE);
    return this.#framesOf(scratch.raw.HEAPU8, at, box.length - TAG_BYTES, room);
  }

  /** Forgets the keys. */
  close(): void {
    this.#closed = true;
    this.#keys.fill(0);
  }

  /** Copies keys and nonce (96 bits, big endian) to where the cipher reads them. */
  #load({ raw, base }: Scratch, counter: number): void {
    const heap = raw.HEAPU8;
    heap.set(this.#keys, base + KEYS_AT);
    const at = base + NONCE_AT;
    const high = Math.floor(counter / 2 ** 32);
    heap.fill(0, at, at + 4);
    writeUint32(heap, at + 4, high);
    writeUint32(heap, at + 8, counter >>> 0);
  }

  #framesOf(heap: Uint8Array, at: number, plaintextBytes: number, room: (length: number) => Uint8Array): Uint8Array {
    const length = ((heap[at]! << 24) | (heap[at + 1]! << 16) | (heap[at + 2]! << 8) | heap[at + 3]!) >>> 0;
    if (length > plaintextBytes - LENGTH_BYTES) this.#fail('malformed');
    const frames = room(length);
    frames.set(heap.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length));
    return frames;
  }

  #fail(reason: 'tag-failed' | 'malformed' | 'too-large'): never {
    this.close();
    throw new ChannelError(reason);
  }
}

function ownRoom(length: number): Uint8Array {
  return new Uint8Array(length);
}

/** Checks every part against `length` before it writes: the scratch holds what other connections left, and none of it may be sealed. */
function writePlaintext(heap: Uint8Array, at: number, frames: Uint8Array | readonly Uint8Array[], length: number, padded: number): void {
  writeUint32(heap, at, length);
  const end = at + LENGTH_BYTES + length;
  let offset = at + LENGTH_BYTES;
  if (frames instanceof Uint8Array) {
    heap.set(frames, offset);
    offset = end;
  } else {
    for (const part of frames) {
      if (offset + part.length > end) throw new RangeError('parts are longer than their total');
      heap.set(part, offset);
      offset += part.length;
    }
  }
  if (offset !== end) throw new RangeError('parts are shorter than their total');
  heap.fill(0, end, at + padded);
}

function writeUint32(heap: Uint8Array, at: number, value: number): void {
  heap[at] = value >>> 24;
  heap[at + 1] = value >>> 16;
  heap[at + 2] = value >>> 8;
  heap[at + 3] = value;
}
