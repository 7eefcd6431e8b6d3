import { ErrorCode } from '@sotto/protocol';
import { type ParsedRelayInput, type ParsedSend, parseSend, WireError } from '@sotto/protocol/frames';
import type { Budgets } from './budgets.js';
import { hex } from './hex.js';
import type { InFlightMessage, Sender } from './message.js';
import type { MessageTable } from './message-table.js';
import type { Receipts, Refusal } from './receipts.js';

const NO_BYTES: Uint8Array = new Uint8Array(0);
const TOO_MUCH: Refusal = { code: ErrorCode.BUSY, text: 'Too much of this account is on its way: wait for receipts.', retryAfterMs: 1_000 };
/** What a delivery costs beside the payload, so that empty messages to a thousand devices are bounded too. Bytes. */
const DELIVERY_CHARGE = 128;

/** Decides about a Send by looking at its sender only: what happens here is the same whoever it is for (P4). */
export class Admission {
  constructor(
    private readonly messages: MessageTable,
    private readonly budgets: Budgets,
    private readonly receipts: Receipts,
    private readonly admitted: (message: InFlightMessage, send: ParsedSend) => void,
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
    const message = messageOf(send, { ...sender, sender: device, key, account: hex(input.account) });
    if (!this.budgets.admit(message)) return this.receipts.refused(sender, message.id, TOO_MUCH);
    this.messages.add(message);
    this.admitted(message, send);
  }

  private parse(sender: Sender, bytes: Uint8Array): ParsedSend | undefined {
    try {
      return parseSend(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.receipts.refused(sender, NO_BYTES, { code: ErrorCode.MALFORMED, text: error.message, retryAfterMs: 0 });
      return undefined;
    }
  }

  /** The sender did not hear of it: its receipts go to where it is now. */
  private repeat(message: InFlightMessage, { gateway, connection }: Sender): void {
    message.gateway = gateway;
    message.connection = connection;
    if (!message.claiming) this.receipts.accepted(message);
  }
}

function messageOf(
  send: ParsedSend,
  from: Pick<InFlightMessage, 'gateway' | 'connection' | 'sender' | 'key' | 'account'>,
): InFlightMessage {
  return {
    ...from,
    id: send.id,
    payload: send.payload,
    charge: send.payload.length + send.devices.length * DELIVERY_CHARGE,
    claiming: false,
    arrivedAt: 0,
    deadline: 0,
    open: [],
    accepted: false,
    charged: 'none',
  };
}
