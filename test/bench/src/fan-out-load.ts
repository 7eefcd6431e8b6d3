import { performance } from 'node:perf_hooks';
import { ready } from '@sotto/channel';
import { Outcome, ReceiptStatus } from '@sotto/protocol';
import { encodeAck, encodeSend, FrameKind, parseDeliver, parseReceipt } from '@sotto/protocol/frames';
import sodium from 'libsodium-wrappers';
import { Measurement } from './closed-loop.js';
import type { LoadSettings } from './load-settings.js';
import { inParallel, registered } from './registrations.js';
import { type SottoConnection, tokenFor } from './sotto-connection.js';

const TTL_SECONDS = 30;

/** A group whose members are all online: each of `window` senders has one message on its way to all of them, and sends the next when all have stored it. */
export class FanOutLoad {
  readonly measurement = new Measurement(() => ({
    frames: [...this.members, ...this.senders].reduce((sum, one) => sum + one.frames, 0),
    boxes: [...this.members, ...this.senders].reduce((sum, one) => sum + one.boxes, 0),
  }));
  private members: SottoConnection[] = [];
  private senders: SottoConnection[] = [];

  constructor(private readonly settings: LoadSettings) {}

  async connect(): Promise<void> {
    await ready();
    await sodium.ready;
    const { pairs, window } = this.settings;
    this.members = await inParallel(pairs, () => registered(this.settings));
    this.senders = await inParallel(window, () => registered(this.settings));
  }

  go(): void {
    if ([...this.members, ...this.senders].some((one) => one.closed))
      throw new Error('the server closed connections before the load began');
    for (const member of this.members) store(member);
    for (const sender of this.senders) this.start(sender);
  }

  private start(sender: SottoConnection): void {
    const id = sodium.randombytes_buf(16);
    const devices = this.members.map((member) => member.device);
    const send = { id, devices, tokens: this.members.map(tokenFor), payload: sodium.randombytes_buf(this.settings.size), ttl: TTL_SECONDS };
    let number = 0;
    let since = 0;
    let open = 0;
    const next = () => {
      number++;
      for (let i = 0; i < 4; i++) id[i] = number >>> (8 * i);
      open = devices.length;
      since = performance.now();
      sender.write(encodeSend(send));
    };
    sender.onFrame = (kind, message) => {
      if (kind !== FrameKind.RECEIPT) return;
      const { status } = parseReceipt(message);
      if (status === ReceiptStatus.ACCEPTED) return;
      if (status !== ReceiptStatus.DELIVERED) this.measurement.failures++;
      // A refusal is about the whole message.
      open = status === ReceiptStatus.REFUSED ? 0 : open - 1;
      if (open > 0) return;
      if (status === ReceiptStatus.DELIVERED) this.measurement.answered(since);
      next();
    };
    next();
  }
}

function store(member: SottoConnection): void {
  member.onFrame = (kind, message) => {
    if (kind !== FrameKind.DELIVER) return;
    const { relay, delivery } = parseDeliver(message);
    member.write(encodeAck({ relay, delivery, outcome: Outcome.STORED }));
  };
}
