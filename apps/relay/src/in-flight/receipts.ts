import { create, toBinary } from '@bufbuild/protobuf';
import { ErrorCode, ReceiptSchema, ReceiptStatus } from '@sotto/protocol';
import { encodeReceipt, FrameKind, wrapFrame } from '@sotto/protocol/frames';
import type { InFlightMessage, Sender } from './message.js';
import type { RelayPorts } from './relay-ports.js';

const NO_DEVICE: Uint8Array = new Uint8Array(0);
const BUSY_FOR_MS = 1_000;

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

  outcome(message: InFlightMessage, device: Uint8Array, status: ReceiptStatus): void {
    this.tell(message, encodeReceipt(message.id, device, status));
  }

  refused(sender: Sender, id: Uint8Array, code: ErrorCode, text: string): void {
    const error = { code, text, retryAfterMs: code === ErrorCode.BUSY ? BUSY_FOR_MS : 0 };
    const receipt = create(ReceiptSchema, { id: new Uint8Array(id), status: ReceiptStatus.REFUSED, error });
    this.tell(sender, wrapFrame(FrameKind.RECEIPT, toBinary(ReceiptSchema, receipt)));
  }

  private tell({ gateway, connection }: Sender, frame: Uint8Array): void {
    this.ports.output(gateway, connection, frame);
  }
}
