import type { SealedChannel, ServerHandshake } from '@sotto/channel';
import type { DeviceRoute } from '@sotto/platform/live-state';
import { LIMITS } from '@sotto/protocol';
import { entryLength } from '@sotto/protocol/frames';
import type { WebSocket } from 'ws';

/** Where a box is cut, so that its padded size stays within the limit. */
const BOX_CUT = LIMITS.boxBytes / 2;

/** What a connection is once it is attached as a device. */
export interface AttachedSession {
  account: string;
  device: string;
  accountBytes: Uint8Array;
  deviceBytes: Uint8Array;
  pending: boolean;
  /** Unix seconds: when its access token was issued. */
  since: number;
  /** As registered in live state; undefined for a pending device, which receives no messages. */
  route: DeviceRoute | undefined;
}

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
  /** Coarse clock of the last sign of life, milliseconds. */
  lastSeen: number;
  /** Token bucket of messages. */
  sendTokens: number;
  sendRefilled: number;
  private frames: Uint8Array[] | undefined;
  private framesLength = 0;

  constructor(
    /** Never used twice in this gateway's incarnation. */
    readonly number: number,
    readonly socket: WebSocket,
    readonly address: string,
    /** Milliseconds since the epoch. */
    readonly openedAt: number,
    burst: number,
  ) {
    this.lastSeen = openedAt;
    this.sendTokens = burst;
    this.sendRefilled = openedAt;
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
    const { frames, channel, socket } = this;
    if (frames === undefined || channel === undefined) return true;
    const total = this.framesLength;
    this.frames = undefined;
    this.framesLength = 0;
    if (total <= BOX_CUT) socket.send(channel.seal(frames, total));
    else this.sendCut(frames, channel);
    return socket.bufferedAmount <= LIMITS.unsentBytes;
  }

  private sendCut(frames: Uint8Array[], channel: SealedChannel): void {
    let parts: Uint8Array[] = [];
    let length = 0;
    for (let i = 0; i < frames.length;) {
      const end = length + entryLength(frames[i]!);
      if (length > 0 && end > BOX_CUT) {
        this.socket.send(channel.seal(parts, length));
        parts = [];
        length = 0;
        continue;
      }
      // A frame may have come in parts, and is never cut.
      for (; length < end; length += frames[i++]!.length) parts.push(frames[i]!);
    }
    this.socket.send(channel.seal(parts, length));
  }

  /** Takes one message's worth from the bucket; false: it is empty. */
  takeSend(now: number, rate: number, burst: number): boolean {
    this.sendTokens = Math.min(burst, this.sendTokens + ((now - this.sendRefilled) / 1_000) * rate);
    this.sendRefilled = now;
    if (this.sendTokens < 1) return false;
    this.sendTokens--;
    return true;
  }
}
