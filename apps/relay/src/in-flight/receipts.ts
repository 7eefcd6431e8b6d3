import { create, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { ErrorCode, ReceiptSchema, ReceiptStatus } from '@sotto/protocol';
import { encodeReceipt, FrameKind, wrapFrame } from '@sotto/protocol/frames';
import type { Delivery, InFlightMessage, Endpoint } from './message.js';
import type { RelayPorts } from './relay-ports.js';

const NO_DEVICE: Uint8Array = new Uint8Array(0);

/** Why a Send was not taken over, and when to try again. Milliseconds; 0: it says nothing of time. */
export interface Refusal {
  code: ErrorCode;
  text: string;
  retryAfterMs: number;
}

/** What senders are told. */
export class Receipts {
  constructor(
    private readonly incarnation: number,
    private readonly ports: Pick<RelayPorts, 'output'>,
  ) {}

  accepted(message: InFlightMessage): void {
    message.accepted = true;
    this.tell(message, encodeReceipt(message.id, NO_DEVICE, ReceiptStatus.ACCEPTED, this.incarnation));
  }

  outcome({ message, to }: Delivery, status: ReceiptStatus): void {
    this.tell(message, encodeReceipt(message.id, to.id, status));
  }

  refused(sender: Endpoint, id: Uint8Array, error: Refusal): void {
    this.tellRare(sender, { id, status: ReceiptStatus.REFUSED, error });
  }

  slotTaken(message: InFlightMessage, holder: Uint8Array): void {
    const error = { code: ErrorCode.SLOT_TAKEN, text: 'Another commit was first: fetch it from the members.' };
    this.tellRare(message, { id: message.id, status: ReceiptStatus.SLOT_TAKEN, commitId: holder, error });
  }

  /** One with fields that the codec of the hot frames does not write. */
  private tellRare(sender: Endpoint, receipt: MessageInitShape<typeof ReceiptSchema>): void {
    this.tell(sender, wrapFrame(FrameKind.RECEIPT, toBinary(ReceiptSchema, create(ReceiptSchema, receipt))));
  }

  private tell({ gateway, connection }: Endpoint, frame: Uint8Array): void {
    this.ports.output(gateway, connection, frame);
  }
}
