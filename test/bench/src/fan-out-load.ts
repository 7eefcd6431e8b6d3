import { performance } from 'node:perf_hooks';
import { ready } from '@sotto/channel';
import { ReceiptStatus } from '@sotto/protocol';
import { encodeSend, FrameKind, parseReceipt } from '@sotto/protocol/frames';
import sodium from 'libsodium-wrappers';
import type { LoadSettings } from './load-settings.js';
import { Measurement } from './measurement.js';
import { store } from './messages.js';
import { inParallel, registered } from './registrations.js';
import { type SottoConnection, tokenFor, trafficOf } from './sotto-connection.js';

const TTL_SECONDS = 30;

/** Where an id carries the slot of the window that its message fills. */
const SLOT_AT = 14;

/** A group whose members are all online: its senders keep `window` messages on their way to all of them, as a pair's sender does to one. */
export class FanOutLoad {
  readonly measurement = new Measurement(() => trafficOf(this.connections));
  private connections: SottoConnection[] = [];

  constructor(private readonly settings: LoadSettings) {}

  private get senders(): number {
    return this.settings.senders ?? 1;
  }

  async connect(): Promise<void> {
    await ready();
    await sodium.ready;
    this.connections = await inParallel(this.senders + this.settings.pairs, () => registered(this.settings));
  }

  go(): void {
    if (this.connections.some((one) => one.closed)) throw new Error('the server closed connections before the load began');
    const members = this.connections.slice(this.senders);
    for (const member of members) store(member);
    for (const sender of this.connections.slice(0, this.senders)) this.start(sender, this.sendTo(members));
  }

  private start(sender: SottoConnection, send: (slot: number) => Uint8Array): void {
    const { pairs } = this.settings;
    const window = Math.ceil(this.settings.window / this.senders);
    const since = new Float64Array(window);
    const open = new Uint32Array(window);
    const next = (slot: number) => {
      open[slot] = pairs;
      since[slot] = performance.now();
      sender.write(send(slot));
    };
    sender.onFrame = (kind, message) => {
      if (kind !== FrameKind.RECEIPT) return;
      const { id, status } = parseReceipt(message);
      if (status === ReceiptStatus.ACCEPTED) return;
      const slot = id[SLOT_AT]!;
      if (status !== ReceiptStatus.DELIVERED) this.measurement.failures++;
      // A refusal is about the whole message.
      open[slot] = status === ReceiptStatus.REFUSED ? 0 : open[slot]! - 1;
      if (open[slot] > 0) return;
      if (status === ReceiptStatus.DELIVERED) this.measurement.answered(since[slot]!);
      next(slot);
    };
    for (let slot = 0; slot < window; slot++) next(slot);
  }

  private sendTo(members: SottoConnection[]): (slot: number) => Uint8Array {
    const id = sodium.randombytes_buf(16);
    const devices = members.map((member) => member.device);
    const send = { id, devices, tokens: members.map(tokenFor), payload: sodium.randombytes_buf(this.settings.size), ttl: TTL_SECONDS };
    let number = 0;
    return (slot) => {
      number++;
      for (let i = 0; i < 4; i++) id[i] = number >>> (8 * i);
      id[SLOT_AT] = slot;
      return encodeSend(send);
    };
  }
}
