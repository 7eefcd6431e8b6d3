import { ID_BYTES } from '../ids.js';
import { shortLived } from './short-lived.js';
import { BYTES, bytesFieldSize, FIXED32, FIXED64, Reader, Writer, WireError } from './wire.js';

const CONNECTION_AND_IDS = 5 + 2 * (2 + ID_BYTES);

/** One entry of a RelayBatch, as views. Exactly one of send, ack and notHere is set. */
export interface ParsedRelayInput {
  connection: number;
  device: Uint8Array;
  account: Uint8Array;
  send: Uint8Array | undefined;
  ack: Uint8Array | undefined;
  /** The relay's number of a delivery whose connection was gone. */
  notHere: number | undefined;
}

const EMPTY: Uint8Array = new Uint8Array(0);

/** An entry of RelayBatch.inputs with a serialised Send (kind 'send') or Ack. */
export function encodeRelayInput(
  kind: 'send' | 'ack',
  connection: number,
  device: Uint8Array,
  account: Uint8Array,
  message: Uint8Array,
): Uint8Array {
  const length = CONNECTION_AND_IDS + bytesFieldSize(message.length);
  const writer = new Writer(shortLived(bytesFieldSize(length)));
  inputHeader(writer, length, connection, device, account);
  writer.bytes(kind === 'send' ? 4 : 5, message);
  return writer.buffer;
}

export function encodeNotHere(connection: number, device: Uint8Array, account: Uint8Array, delivery: number, relay: number): Uint8Array {
  const length = CONNECTION_AND_IDS + 9;
  const writer = new Writer(shortLived(bytesFieldSize(length)));
  inputHeader(writer, length, connection, device, account);
  writer.fixed64(6, delivery, relay);
  return writer.buffer;
}

function inputHeader(writer: Writer, length: number, connection: number, device: Uint8Array, account: Uint8Array): void {
  writer.tag(2, BYTES);
  writer.varint(length);
  writer.fixed32(1, connection);
  writer.bytes(2, device);
  writer.bytes(3, account);
}

/** An entry of GatewayBatch.outputs with a frame as it stands in Frames. */
export function encodeGatewayOutput(connection: number, frame: Uint8Array): Uint8Array {
  const length = 5 + bytesFieldSize(frame.length);
  const writer = new Writer(shortLived(bytesFieldSize(length)));
  writer.tag(2, BYTES);
  writer.varint(length);
  writer.fixed32(1, connection);
  writer.bytes(2, frame);
  return writer.buffer;
}

/** An entry of GatewayBatch.deliveries. `recipients` holds connection and delivery of each, in turn. */
export function encodeSharedDelivery(payload: Uint8Array, recipients: readonly number[]): Uint8Array {
  const recipientsLength = 4 * recipients.length;
  const length = bytesFieldSize(payload.length) + bytesFieldSize(recipientsLength);
  const writer = new Writer(shortLived(bytesFieldSize(length)));
  writer.tag(3, BYTES);
  writer.varint(length);
  writer.bytes(1, payload);
  writer.tag(2, BYTES);
  writer.varint(recipientsLength);
  for (let i = 0; i < recipients.length; i++) writer.raw32(recipients[i]!);
  return writer.buffer;
}

/** Puts entries behind the sender's incarnation: a RelayBatch or a GatewayBatch. */
export function encodeBatch(incarnation: number, entries: readonly Uint8Array[], length: number): Uint8Array {
  const writer = new Writer(shortLived(5 + length));
  writer.fixed32(1, incarnation);
  for (const entry of entries) {
    writer.buffer.set(entry, writer.offset);
    writer.offset += entry.length;
  }
  return writer.buffer;
}

/** Returns the gateway's incarnation after visiting every input. Throws WireError. */
export function forEachRelayInput(batch: Uint8Array, visit: (gateway: number, input: ParsedRelayInput) => void): void {
  forEachEntry(batch, (gateway, reader, field) => {
    if (field !== 2) return;
    const input: ParsedRelayInput = { connection: 0, device: EMPTY, account: EMPTY, send: undefined, ack: undefined, notHere: undefined };
    while (reader.next()) {
      switch (reader.field) {
        case 1:
          input.connection = reader.fixed32();
          break;
        case 2:
          input.device = reader.bytes();
          break;
        case 3:
          input.account = reader.bytes();
          break;
        case 4:
          input.send = reader.bytes();
          break;
        case 5:
          input.ack = reader.bytes();
          break;
        case 6:
          input.notHere = readHandle(reader);
          break;
        default:
          reader.skip();
      }
    }
    visit(gateway, input);
  });
}

function readHandle(reader: Reader): number {
  if (reader.type !== FIXED64) throw new WireError('expected a fixed64');
  const delivery = reader.raw32();
  reader.raw32();
  return delivery;
}

/** What a gateway does with a GatewayBatch. Frames and payloads are views. */
export interface GatewayBatchVisitor {
  frame(relay: number, connection: number, frame: Uint8Array): void;
  /** A payload for the connection, with the relay's number of the delivery. */
  delivery(relay: number, connection: number, delivery: number, payload: Uint8Array): void;
}

/** Visits every output and delivery, in order. Throws WireError. */
export function readGatewayBatch(batch: Uint8Array, visitor: GatewayBatchVisitor): void {
  forEachEntry(batch, (relay, reader, field) => {
    if (field === 2) readOutput(relay, reader, visitor);
    else if (field === 3) readSharedDelivery(relay, reader, visitor);
  });
}

function readOutput(relay: number, reader: Reader, visitor: GatewayBatchVisitor): void {
  let connection = 0;
  let frame: Uint8Array = EMPTY;
  while (reader.next()) {
    if (reader.field === 1) connection = reader.fixed32();
    else if (reader.field === 2) frame = reader.bytes();
    else reader.skip();
  }
  visitor.frame(relay, connection, frame);
}

function readSharedDelivery(relay: number, reader: Reader, visitor: GatewayBatchVisitor): void {
  let payload: Uint8Array = EMPTY;
  let start = 0;
  let end = 0;
  while (reader.next()) {
    if (reader.field === 1) payload = reader.bytes();
    else if (reader.field === 2) {
      start = reader.bytesStart();
      end = reader.offset;
    } else reader.skip();
  }
  const recipients = new Reader(reader.buffer, start, end);
  while (recipients.offset < end) visitor.delivery(relay, recipients.raw32(), recipients.raw32(), payload);
}

function forEachEntry(batch: Uint8Array, visit: (incarnation: number, reader: Reader, field: number) => void): void {
  const reader = new Reader(batch);
  let incarnation = 0;
  while (reader.next()) {
    if (reader.field === 1 && reader.type === FIXED32) incarnation = reader.raw32();
    else if (reader.type === BYTES) {
      const start = reader.bytesStart();
      visit(incarnation, new Reader(batch, start, reader.offset), reader.field);
    } else reader.skip();
  }
}
