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

const PUMP_MS = 1;
/** Messages of a pair that may be open before the times of the oldest are lost: many seconds' worth. */
const RING = 4_096;

/** P pairs whose senders send at a rate, in turn, a burst each, whatever comes back: a message that is late does not hold up the next (an open loop). */
export class PacedLoad {
  readonly measurement = new Measurement(() => ({
    frames: this.connections.reduce((sum, one) => sum + one.frames, 0),
    boxes: this.connections.reduce((sum, one) => sum + one.boxes, 0),
  }));
  private connections: SottoConnection[] = [];
  private senders: ((due: number) => void)[] = [];
  private startedAt = 0;
  private bursts = 0;

  /** @param settings `rate` is that of all pairs together, a second. */
  constructor(private readonly settings: LoadSettings & { rate: number }) {}

  async connect(): Promise<void> {
    await ready();
    await sodium.ready;
    const { pairs } = this.settings;
    this.connections = await inParallel(2 * pairs, () => registered(this.settings));
    this.senders = Array.from({ length: pairs }, (_, i) => this.pair(this.connections[i]!, this.connections[pairs + i]!));
  }

  go(): void {
    if (this.connections.some((one) => one.closed)) throw new Error('the server closed connections before the load began');
    this.startedAt = performance.now();
    setInterval(() => this.pump(), PUMP_MS);
  }

  private pump(): void {
    const { rate, burst = 1 } = this.settings;
    const interval = (1_000 * burst) / rate;
    const dueNow = (performance.now() - this.startedAt) / interval;
    for (; this.bursts < dueNow; this.bursts++) {
      const send = this.senders[this.bursts % this.senders.length]!;
      const due = this.startedAt + this.bursts * interval;
      for (let i = 0; i < burst; i++) send(due);
    }
  }

  /** What sends the pair's next message. Its latency counts from when it was due, not from when this process came to send it. */
  private pair(sender: SottoConnection, recipient: SottoConnection): (due: number) => void {
    store(recipient);
    const dueAt = new Float64Array(RING);
    const messageOf = messagesTo(recipient, this.settings.size);
    let number = 0;
    sender.onFrame = (kind, message) => {
      if (kind !== FrameKind.RECEIPT) return;
      const { id, status } = parseReceipt(message);
      if (status === ReceiptStatus.DELIVERED) this.measurement.answered(dueAt[tagOf(id)]!);
      else if (status !== ReceiptStatus.ACCEPTED) this.measurement.failures++;
    };
    return (due) => {
      const tag = number++ % RING;
      dueAt[tag] = due;
      sender.write(messageOf(tag));
    };
  }
}
