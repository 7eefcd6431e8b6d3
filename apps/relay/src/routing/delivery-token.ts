import type { DeviceRoute } from '@sotto/platform/live-state';
import { ID_BYTES, KEY_BYTES, TOKEN_BYTES } from '@sotto/protocol';
import sodium from 'libsodium-wrappers';
import { Buffer } from 'node:buffer';

/**
 * libsodium's WebAssembly module beneath its wrappers, which allocate, copy and free for each argument: twice the time of the MAC itself.
 * Arguments are addresses in its memory and lengths; a 64-bit length is two arguments, low half first.
 */
interface RawSodium {
  /** Replaced when the memory grows, so never kept. */
  readonly HEAPU8: Uint8Array;
  _malloc(length: number): number;
  _crypto_generichash(out: number, outLength: number, input: number, inputLength: number, high: 0, key: number, keyLength: number): number;
}

/** A key for devices that have none: the same work is done for them. */
const NOBODYS_KEY = new Uint8Array(KEY_BYTES);

const NONE: Uint8Array = new Uint8Array(0);
const NO_ORDER = new Uint16Array(0);

const MAC_AT = 0;
const CAPABILITY_AT = ID_BYTES;
const KEY_AT = 2 * ID_BYTES;

/** Address of the memory for one check; 0: none yet. Never freed. */
let scratch = 0;

/** Who may send to a device, by what its route says of keys and capabilities. A token is checked by one MAC, also for a device that nobody knows. */
export class DeliveryRights {
  private static readonly NOBODYS = new DeliveryRights(NOBODYS_KEY, NONE, false);
  /** The revoked ids by number, in the order of their bytes: a device may have thousands, which it chose itself. */
  private readonly order: Uint16Array;

  private constructor(
    private readonly key: Uint8Array,
    private readonly revoked: Uint8Array,
    private readonly isKnown: boolean,
  ) {
    this.order = orderOf(revoked);
  }

  /** The same as `before` where nothing has changed. */
  static of(route: DeviceRoute | undefined, before: DeliveryRights | undefined): DeliveryRights {
    if (route?.deliveryKey.length !== KEY_BYTES) return DeliveryRights.NOBODYS;
    const { deliveryKey, revokedCapabilities: revoked } = route;
    return before?.are(deliveryKey, revoked) === true
      ? before
      : new DeliveryRights(deliveryKey, revoked.length === 0 ? NONE : revoked, true);
  }

  /**
   * Whether the token at this place of `tokens` gives a right to send to the device (docs/protocol.md § Delivery tokens): its second half is the
   * BLAKE2b-128 of its first under the device's delivery key, and the capability is not revoked. Needs `sodium.ready`.
   */
  allow(tokens: Uint8Array, place: number): boolean {
    const at = place * TOKEN_BYTES;
    const equal = macIsRight(tokens, at, this.key);
    return equal && this.isKnown && !this.isRevoked(tokens, at);
  }

  private are(key: Uint8Array, revoked: Uint8Array): boolean {
    return this.isKnown && Buffer.compare(this.key, key) === 0 && Buffer.compare(this.revoked, revoked) === 0;
  }

  private isRevoked(tokens: Uint8Array, at: number): boolean {
    const { revoked, order } = this;
    let from = 0;
    for (let end = order.length; from < end;) {
      const middle = (from + end) >>> 1;
      const difference = compareIds(revoked, order[middle]! * ID_BYTES, tokens, at);
      if (difference === 0) return true;
      if (difference < 0) from = middle + 1;
      else end = middle;
    }
    return false;
  }
}

function orderOf(ids: Uint8Array): Uint16Array {
  if (ids.length === 0) return NO_ORDER;
  const order = Uint16Array.from({ length: ids.length / ID_BYTES }, (_, i) => i);
  return order.sort((one, other) => compareIds(ids, one * ID_BYTES, ids, other * ID_BYTES));
}

function compareIds(some: Uint8Array, at: number, others: Uint8Array, otherAt: number): number {
  for (let i = 0; i < ID_BYTES; i++) {
    const difference = some[at + i]! - others[otherAt + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function macIsRight(tokens: Uint8Array, at: number, key: Uint8Array): boolean {
  const raw = (sodium as unknown as { libsodium: RawSodium }).libsodium;
  if (scratch === 0) scratch = raw._malloc(KEY_AT + KEY_BYTES);
  const heap = raw.HEAPU8;
  for (let i = 0; i < ID_BYTES; i++) heap[scratch + CAPABILITY_AT + i] = tokens[at + i]!;
  heap.set(key, scratch + KEY_AT);
  raw._crypto_generichash(scratch + MAC_AT, ID_BYTES, scratch + CAPABILITY_AT, ID_BYTES, 0, scratch + KEY_AT, KEY_BYTES);
  let difference = 0;
  for (let i = 0; i < ID_BYTES; i++) difference |= heap[scratch + MAC_AT + i]! ^ tokens[at + ID_BYTES + i]!;
  return difference === 0;
}
