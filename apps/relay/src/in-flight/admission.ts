import { ErrorCode } from '@sotto/protocol';
import { idOfSend, type ParsedRelayInput, type ParsedSend, parseSend, WireError } from '@sotto/protocol/frames';
import type { Budgets } from './budgets.js';
import { keyOf } from './id-key.js';
import type { InFlightMessage, Endpoint } from './message.js';
import type { MessageTable } from './message-table.js';
import type { Receipts, Refusal } from './receipts.js';
import type { RecipientRate } from './recipient-rate.js';

export interface AdmissionHandlers {
  admitted(message: InFlightMessage, send: ParsedSend): void;
  /** A Send of a message that is in flight, and that has gone out. */
  repeated(message: InFlightMessage, send: ParsedSend): void;
}

/** Decides about a Send by looking at its sender only: what happens here is the same whoever it is for. */
export class Admission {
  constructor(
    private readonly messages: MessageTable,
    private readonly budgets: Budgets,
    private readonly recipientRate: RecipientRate,
    private readonly receipts: Receipts,
    private readonly on: AdmissionHandlers,
  ) {}

  /** A serialised Send of a connection. */
  onSend(gateway: number, input: ParsedRelayInput, bytes: Uint8Array): void {
    const sender = { gateway, connection: input.connection };
    const send = this.parse(sender, bytes);
    if (send === undefined) return;
    const device = keyOf(input.device);
    const key = keyOf(send.id);
    const known = this.messages.find(device, key);
    if (known !== undefined) return this.repeat(known, sender, send);
    const message = messageOf(send, sender, { device, key, account: keyOf(input.account) });
    const refusal = this.tooFast(message) ?? this.budgets.admit(message);
    if (refusal !== undefined) return this.receipts.refused(sender, message.id, refusal);
    this.messages.add(message);
    this.on.admitted(message, send);
  }

  /** One recipient a message is what the gateway's limit is about. */
  private tooFast({ account, charge }: InFlightMessage): Refusal | undefined {
    const retryAfterMs = charge.recipients === 1 ? 0 : this.recipientRate.take(account, charge.recipients);
    return retryAfterMs === 0
      ? undefined
      : { code: ErrorCode.RATE_LIMITED, text: 'To too many recipients at once: slow down.', retryAfterMs };
  }

  private parse(sender: Endpoint, bytes: Uint8Array): ParsedSend | undefined {
    try {
      const send = parseSend(bytes);
      if (namesOneTwice(send)) throw new WireError('a Send names each device once');
      return send;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.receipts.refused(sender, idOfSend(bytes), { code: ErrorCode.MALFORMED, text: error.message, retryAfterMs: 0 });
      return undefined;
    }
  }

  /** The sender did not hear of it: its receipts go to where it is now. */
  private repeat(message: InFlightMessage, { gateway, connection }: Endpoint, send: ParsedSend): void {
    message.gateway = gateway;
    message.connection = connection;
    if (message.claiming) return;
    this.receipts.accepted(message);
    this.on.repeated(message, send);
  }
}

/** Its payload counts once: to one device it must not go a thousand times. */
function namesOneTwice({ devices, recipients }: ParsedSend): boolean {
  if (recipients === 1) return false;
  const named = new Set<string>();
  for (let place = 0; place < recipients; place++) named.add(keyOf(devices, place));
  return named.size < recipients;
}

/** One literal, without spreads: V8 makes an object of a known shape at once, and of a spread field by field. */
function messageOf(
  send: ParsedSend,
  { gateway, connection }: Endpoint,
  { device, key, account }: { device: string; key: string; account: string },
): InFlightMessage {
  return {
    gateway,
    connection,
    sender: device,
    key,
    account,
    id: send.id,
    payload: send.payload,
    tokens: send.tokens,
    claiming: false,
    arrivedAt: 0,
    deadline: 0,
    open: [],
    accepted: false,
    charge: { budget: 'none', bytes: send.payload.length, recipients: send.recipients },
    indexOfSender: 0,
    hash: 0,
    nextInBucket: undefined,
  };
}
