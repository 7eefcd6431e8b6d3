import { performance } from 'node:perf_hooks';
import { ready } from '@sotto/channel';
import { Outcome, ReceiptStatus } from '@sotto/protocol';
import { encodeAck, encodeSend, FrameKind, parseDeliver, parseReceipt } from '@sotto/protocol/frames';
import sodium from 'libsodium-wrappers';
import { Measurement } from './closed-loop.js';
import type { LoadSettings } from './load-settings.js';
import { inParallel, registered } from './registrations.js';
import { type KnownDevice, SottoConnection, tokenFor } from './sotto-connection.js';

const TTL_SECONDS = 30;

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
    recipient.onFrame = (kind, message) => {
      if (kind !== FrameKind.DELIVER) return;
      const { relay, delivery } = parseDeliver(message);
      recipient.write(encodeAck({ relay, delivery, outcome: Outcome.STORED }));
    };
    const since = new Float64Array(this.settings.window);
    const send = this.sendTo(recipient);
    const next = (slot: number) => {
      since[slot] = performance.now();
      sender.write(send(slot));
    };
    sender.onFrame = (kind, message) => {
      if (kind !== FrameKind.RECEIPT) return;
      const { id, status } = parseReceipt(message);
      if (status === ReceiptStatus.ACCEPTED) return;
      const slot = id[SLOT_AT]! | (id[SLOT_AT + 1]! << 8);
      if (status === ReceiptStatus.DELIVERED) this.measurement.answered(since[slot]!);
      else this.measurement.failures++;
      next(slot);
    };
    for (let slot = 0; slot < since.length; slot++) next(slot);
  }

  /** Every message has an id of its own, which ends with the slot of the window that it fills. */
  private sendTo(recipient: SottoConnection): (slot: number) => Uint8Array {
    const payload = sodium.randombytes_buf(this.settings.size);
    const id = sodium.randombytes_buf(16);
    const send = { id, devices: [recipient.device], tokens: [tokenFor(recipient)], payload, ttl: TTL_SECONDS };
    let number = 0;
    return (slot) => {
      number++;
      for (let i = 0; i < 4; i++) id[i] = number >>> (8 * i);
      id[SLOT_AT] = slot;
      id[SLOT_AT + 1] = slot >>> 8;
      return encodeSend(send);
    };
  }
}

const SLOT_AT = 14;

/** Connections of devices that are known already, held and left alone. */
export class IdleLoad {
  private devices: KnownDevice[] = [];
  private readonly held: SottoConnection[] = [];

  constructor(private readonly settings: LoadSettings) {}

  /** Makes the devices; none stays connected. */
  async prepare(): Promise<void> {
    await ready();
    await sodium.ready;
    this.devices = await inParallel(this.settings.pairs, async () => {
      const connection = await SottoConnection.open(this.settings.url, Buffer.from(this.settings.pin, 'hex'));
      const device = await connection.register();
      await connection.close();
      return device;
    });
  }

  async connect(): Promise<void> {
    const left = [...this.devices];
    await inParallel(left.length, async () => {
      const connection = await SottoConnection.open(this.settings.url, Buffer.from(this.settings.pin, 'hex'));
      await connection.resume(left.pop()!);
      this.held.push(connection);
    });
  }
}
