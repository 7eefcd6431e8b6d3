import { ErrorCode } from '@sotto/protocol';
import { type ParsedRelayInput, type ParsedSend, parseSend, WireError } from '@sotto/protocol/frames';
import type { RelayConfig } from '../relay.config.js';
import type { Budgets } from './budgets.js';
import { hex } from './hex.js';
import { type InFlightMessage, LEAST_WINDOW_MS, type Sender } from './message.js';
import type { MessageTable } from './message-table.js';
import type { Receipts } from './receipts.js';
import type { RelayPorts } from './relay-ports.js';

const NO_BYTES: Uint8Array = new Uint8Array(0);
const TOO_MUCH = 'Too much of this account is on its way: wait for receipts.';
/** What a delivery costs beside the payload, so that empty messages to a thousand devices are bounded too. Bytes. */
const DELIVERY_CHARGE = 128;

/** Decides about a Send by looking at its sender only: what happens here is the same whoever it is for (P4). */
export class Admission {
  constructor(
    private readonly config: RelayConfig,
    private readonly ports: Pick<RelayPorts, 'now'>,
    private readonly messages: MessageTable,
    private readonly budgets: Budgets,
    private readonly receipts: Receipts,
    private readonly takeOver: (message: InFlightMessage, send: ParsedSend) => void,
  ) {}

  /** A serialised Send of a connection. */
  onSend(gateway: number, input: ParsedRelayInput, bytes: Uint8Array): void {
    const sender = { gateway, connection: input.connection };
    const send = this.parse(sender, bytes);
    if (send === undefined) return;
    const device = hex(input.device);
    const key = hex(send.id);
    const known = this.messages.find(device, key);
    if (known !== undefined) return this.repeat(known, sender);
    const message = this.messageOf(send, { ...sender, sender: device, key, account: hex(input.account) });
    if (!this.budgets.admit(message)) return this.receipts.refused(sender, message.id, ErrorCode.BUSY, TOO_MUCH);
    this.takeOver(message, send);
  }

  private parse(sender: Sender, bytes: Uint8Array): ParsedSend | undefined {
    try {
      return parseSend(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.receipts.refused(sender, NO_BYTES, ErrorCode.MALFORMED, error.message);
      return undefined;
    }
  }

  /** The sender did not hear of it: its receipts go to where it is now. */
  private repeat(message: InFlightMessage, { gateway, connection }: Sender): void {
    message.gateway = gateway;
    message.connection = connection;
    this.receipts.accepted(message);
  }

  private messageOf(
    send: ParsedSend,
    from: Pick<InFlightMessage, 'gateway' | 'connection' | 'sender' | 'key' | 'account'>,
  ): InFlightMessage {
    const now = this.ports.now();
    const window = Math.max(Math.min(send.ttl * 1_000, this.config.retryWindowMs), LEAST_WINDOW_MS);
    return {
      ...from,
      id: send.id,
      payload: send.payload,
      charge: send.payload.length + send.devices.length * DELIVERY_CHARGE,
      arrivedAt: now,
      deadline: Math.ceil((now + window) / 1_000) * 1_000,
      open: [],
      accepted: false,
      charged: 'none',
    };
  }
}
