import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { WebSocket } from 'ws';
import { Measurement } from './closed-loop.js';
import type { LoadSettings } from './load-settings.js';

const SLOT_AT = 4;

/** The same pairs, windows and sizes over the bare relay: a message is an index, a slot and the payload; its answer has no payload. */
export class BareLoad {
  private messages = 0;
  readonly measurement = new Measurement(() => ({ frames: this.messages, boxes: this.messages }));
  private sockets: WebSocket[] = [];

  constructor(private readonly settings: LoadSettings) {}

  async connect(): Promise<void> {
    for (let i = 0; i < 2 * this.settings.pairs; i++) {
      const socket = new WebSocket(`${this.settings.url}/${i}`, { perMessageDeflate: false });
      await once(socket, 'open');
      this.sockets.push(socket);
    }
  }

  go(): void {
    for (let i = 0; i < this.settings.pairs; i++) this.startPair(i, this.settings.pairs + i);
  }

  private startPair(from: number, to: number): void {
    const { size, window } = this.settings;
    const sender = this.sockets[from]!;
    const recipient = this.sockets[to]!;
    recipient.on('message', (data: Buffer) => {
      const answer = Buffer.allocUnsafe(SLOT_AT + 4);
      answer.writeUInt32LE(from, 0);
      answer.writeUInt32LE(data.readUInt32LE(SLOT_AT), SLOT_AT);
      recipient.send(answer);
    });
    const since = new Float64Array(window);
    const next = (slot: number) => {
      const message = Buffer.alloc(SLOT_AT + 4 + size);
      message.writeUInt32LE(to, 0);
      message.writeUInt32LE(slot, SLOT_AT);
      since[slot] = performance.now();
      sender.send(message);
    };
    sender.on('message', (data: Buffer) => {
      this.messages += 4;
      const slot = data.readUInt32LE(SLOT_AT);
      this.measurement.answered(since[slot]!);
      next(slot);
    });
    for (let slot = 0; slot < window; slot++) next(slot);
  }
}
