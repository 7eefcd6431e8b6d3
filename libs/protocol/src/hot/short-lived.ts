/** Room for some fifty small frames; V8 gives each buffer of its own a page of bookkeeping outside its heap, which costs more than the frame. */
const SLAB_BYTES = 16 * 1024;
const LARGEST_SHARE = SLAB_BYTES / 8;

let slab = new ArrayBuffer(SLAB_BYTES);
let used = 0;

/**
 * Bytes that will be written in full and dropped within a turn or two of the event loop: a share of a slab, which stays in memory as long as
 * any of its shares does. Whoever keeps such bytes for longer copies them.
 */
export function shortLived(length: number): Uint8Array {
  if (length > LARGEST_SHARE) return new Uint8Array(length);
  if (used + length > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    used = 0;
  }
  const share = new Uint8Array(slab, used, length);
  used += length;
  return share;
}
