import { performance } from 'node:perf_hooks';
import { ready } from '@sotto/channel';
import { ReceiptStatus } from '@sotto/protocol';
import { FrameKind, parseReceipt } from '@sotto/protocol/frames';
import sodium from 'libsodium-wrappers';
import { Measurement } from './closed-loop.js';
import type { LoadSettings } from './load-settings.js';
import { messagesTo, store, tagOf } from './messages.js';
import { inParallel, registered } from './registrations.js';
import type { SottoConnection } from './sotto-connection.js';

/** P pairs: one side keeps its window of messages on their way, the other stores each. */
export class SottoLoad {
  readonly measurement = new Measurement(() => ({
    frames: this.connections.reduce((sum, one) => sum + one.frames, 0),
    boxes: this.connections.reduce((sum, one) => sum + one.boxes, 0),
  }));
  private connections: SottoConnection[] = [];

  constructor(private readonly settings: LoadSettings) {}

  async connect(): Promise<void> {
    await ready();
    await sodium.ready;
    this.connections = await inParallel(2 * this.settings.pairs, () => registered(this.settings));
  }

  /** Throws when the server has let a connection go: the load would not be the one that was asked for. */
  go(): void {
    const { pairs } = this.settings;
    if (this.connections.some((one) => one.closed)) throw new Error('the server closed connections before the load began');
    for (let i = 0; i < pairs; i++) this.startPair(this.connections[i]!, this.connections[pairs + i]!);
  }

  private startPair(sender: SottoConnection, recipient: SottoConnection): void {
    store(recipient);
    const since = new Float64Array(this.settings.window);
    const messageOf = messagesTo(recipient, this.settings.size);
    const next = (slot: number) => {
      since[slot] = performance.now();
      sender.write(messageOf(slot));
    };
    sender.onFrame = (kind, message) => {
      if (kind !== FrameKind.RECEIPT) return;
      const { id, status } = parseReceipt(message);
      if (status === ReceiptStatus.ACCEPTED) return;
      const slot = tagOf(id);
      if (status === ReceiptStatus.DELIVERED) this.measurement.answered(since[slot]!);
      else this.measurement.failures++;
      next(slot);
    };
    for (let slot = 0; slot < since.length; slot++) next(slot);
  }
}
