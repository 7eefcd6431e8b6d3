import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { LIMITS, TIMES } from '@sotto/protocol';
import { entryLength } from '@sotto/protocol/frames';

/** Bytes that the system has taken last: while more wait, they are hardly with the client yet. */
const ON_THE_WIRE = 512 * 1024;

/** What Node keeps of a TCP socket, and does not say by itself: of a large write, `writableLength` shrinks only when all of it has been taken. */
interface Handle {
  readonly bytesWritten: number;
  readonly writeQueueSize: number;
}

/** What was written to a connection and has not left: made where a client takes less than it is sent, and let go of once all has left. Positions are bytes of the stream. */
export class Backlog {
  /** Starts of the frames that were written in parts, as deliveries are, and where the boxes that they went in end. In order. */
  private readonly ends = new Map<string, number>();
  private taken = -1;
  /** When it was first seen that so much was taken. */
  private takenAt = 0;

  constructor(private readonly stream: Duplex) {}

  /** Notes the frames that were written last. False: the client is too slow. @param now by `steadyNow` */
  add(frames: readonly Uint8Array[], now: number): boolean {
    const { bytesWritten: end } = this.stream as Socket;
    const taken = this.takenNow();
    this.forget(taken);
    forEachInParts(frames, (start) => this.ends.set(keyOf(start), end));
    if (taken > this.taken) {
      this.taken = taken;
      this.takenAt = now;
    }
    const unsent = end - taken;
    return unsent <= LIMITS.unsentBytes || (unsent <= LIMITS.mostUnsentBytes && now - this.takenAt < TIMES.unsentMs);
  }

  /** Whether a frame that begins like this is still on its way: the same again would only come behind it. */
  holds(start: Uint8Array): boolean {
    if (this.stream.writableLength === 0) return false;
    const end = this.ends.get(keyOf(start));
    return end !== undefined && end > this.takenNow() - ON_THE_WIRE;
  }

  private takenNow(): number {
    const stream = this.stream as Socket & { readonly _handle?: Handle | null };
    const { _handle: handle } = stream;
    return handle ? handle.bytesWritten - handle.writeQueueSize : stream.bytesWritten - stream.writableLength;
  }

  private forget(taken: number): void {
    for (const [key, end] of this.ends) {
      if (end > taken - ON_THE_WIRE) return;
      this.ends.delete(key);
    }
  }
}

function forEachInParts(frames: readonly Uint8Array[], note: (start: Uint8Array) => void): void {
  for (let i = 0; i < frames.length;) {
    const start = frames[i]!;
    // The rest of a frame may be empty.
    const length = start.length === 0 ? 0 : entryLength(start);
    if (start.length < length) note(start);
    i++;
    for (let end = start.length; end < length; end += frames[i++]!.length);
  }
}

function keyOf(start: Uint8Array): string {
  return Buffer.from(start.buffer, start.byteOffset, start.length).toString('latin1');
}
