import type { Duplex } from 'node:stream';
import type { SealedChannel, ServerHandshake } from '@sotto/channel';
import { LIMITS } from '@sotto/protocol';
import { entryLength, WireError } from '@sotto/protocol/frames';
import { steadyNow } from '@sotto/platform/clock';
import type { WebSocket } from 'ws';
import type { AttachedSession } from '../sessions/attached-session.js';
import { Backlog } from './backlog.js';
import { boxMessage } from './box-message.js';

/** Where a box is cut, so that its padded size stays within the limit. */
const BOX_CUT = LIMITS.boxBytes / 2;

/** A rate a second in the long run, and how much at once. */
export interface Allowance {
  readonly rate: number;
  readonly burst: number;
}

/** Frames that are answered on the spot and charged nowhere: pings, what is refused, and Acks of nothing that was delivered. */
const FREE: Allowance = { rate: 4_000, burst: 20_000 };
const FREE_OF_STRANGERS: Allowance = { rate: 10, burst: 100 };
/** LATER, then what came of it. */
const ACKS_OF_A_DELIVERY = 2;
/** Most Acks that are saved up by saying less. */
const SAVED_ACKS = 4_096;

/** One WebSocket. Deliberately small: there may be tens of thousands, most of them idle. */
export class Connection {
  handshake: ServerHandshake | undefined;
  channel: SealedChannel | undefined;
  /** Boxes that came while the handshake was being finished. */
  early: Uint8Array[] | undefined;
  session: AttachedSession | undefined;
  /** Incarnation of the relay that this connection's messages go to; 0: none yet. */
  relay = 0;
  openCalls = 0;
  attaching = false;
  /** It is being closed for a fault or a revocation: what still comes in until the peer has closed its side counts no more. */
  deaf = false;
  /** Before it has logged in: bytes that have come beside its whole messages. */
  unfinished = 0;
  /** Since when, before it has logged in, it is for the client to go on; Infinity: it waits for the gateway. As all times here, by `steadyNow`. */
  awaitedSince = Infinity;
  /** Coarse clock of the last sign of life, milliseconds. */
  lastSeen: number;
  /** When the messages taken so far would be used up at the allowed rate: the bucket is full while this is past. */
  private sendsUntil = 0;
  /** Likewise of frames that cost their sender nothing. */
  private freeUntil = 0;
  /** Acks that answer what was delivered here. */
  private acksLeft = 0;
  private frames: Uint8Array[] | undefined;
  private framesLength = 0;
  /** While the client takes less than it is sent. */
  private backlog: Backlog | undefined;

  constructor(
    /** Never used twice in this gateway's incarnation. */
    readonly number: number,
    readonly socket: WebSocket,
    /** What `socket` runs on. Boxes are written to it as whole WebSocket messages; everything else goes through `socket`. */
    private readonly stream: Duplex,
    readonly address: string,
    /** By `steadyNow`. */
    readonly openedAt: number,
  ) {
    this.lastSeen = openedAt;
  }

  /** Queues a frame, or a further part of one, for the next box. True when it is the first since the last flush. */
  queue(frame: Uint8Array): boolean {
    const first = this.frames === undefined;
    if (this.frames === undefined) this.frames = [frame];
    else this.frames.push(frame);
    this.framesLength += frame.length;
    return first;
  }

  /** Seals and sends what is queued: one box, or several when it is much. False: the client is too slow. */
  flush(): boolean {
    const { frames, channel, stream } = this;
    if (frames === undefined || channel === undefined) return true;
    const total = this.framesLength;
    this.frames = undefined;
    this.framesLength = 0;
    if (total <= BOX_CUT) stream.write(boxMessage(channel, frames, total));
    else this.sendCut(frames, channel);
    if (stream.writableLength > 0) return (this.backlog ??= new Backlog(stream)).add(frames, steadyNow());
    this.backlog = undefined;
    return true;
  }

  /** Whether a frame in parts that begins like this was written to a client that reads slowly, and is hardly with it yet. */
  holds(start: Uint8Array): boolean {
    return this.backlog?.holds(start) ?? false;
  }

  private sendCut(frames: Uint8Array[], channel: SealedChannel): void {
    let parts: Uint8Array[] = [];
    let length = 0;
    for (let i = 0; i < frames.length;) {
      const end = length + entryLength(frames[i]!);
      if (length > 0 && end > BOX_CUT) {
        this.stream.write(boxMessage(channel, parts, length));
        parts = [];
        length = 0;
        continue;
      }
      // A frame may have come in parts, and is never cut.
      for (; length < end; length += frames[i++]!.length) parts.push(frames[i]!);
    }
    this.stream.write(boxMessage(channel, parts, length));
  }

  /** Takes one message's worth of `rate` a second, at most `burst` at once; false: there is none left. */
  takeSend(now: number, rate: number, burst: number): boolean {
    const until = Math.max(this.sendsUntil, now) + 1_000 / rate;
    if (until > now + (burst * 1_000) / rate) return false;
    this.sendsUntil = until;
    return true;
  }

  /** To be called for each delivery that is written to it. */
  countDelivery(): void {
    if (this.acksLeft < SAVED_ACKS) this.acksLeft += ACKS_OF_A_DELIVERY;
  }

  /** To be called for each Ack. Those of an earlier connection's deliveries count like frames that cost nothing. Throws WireError when there are too many. */
  countAck(): void {
    if (this.acksLeft > 0) this.acksLeft--;
    else this.countFree();
  }

  /** To be called for each Call, and each frame that is answered on the spot. Throws WireError when there are too many. */
  countFree(now = this.lastSeen): void {
    const { rate, burst } = this.session === undefined ? FREE_OF_STRANGERS : FREE;
    this.freeUntil = Math.max(this.freeUntil, now) + 1_000 / rate;
    if (this.freeUntil > now + (burst * 1_000) / rate) throw new WireError('too many frames that cost nothing');
  }
}
