import type { Outcome, ReceiptStatus } from '../generated/sotto/v1/frames_pb.js';
import { ID_BYTES, SLOT_BYTES, TOKEN_BYTES } from '../ids.js';
import { LIMITS } from '../limits.js';
import { shortLived } from './short-lived.js';
import { BYTES, bytesFieldSize, FIXED64, Reader, VARINT, varintSize, WireError, Writer } from './wire.js';

/** Field numbers of Frame.kind in frames.proto. */
export const FrameKind = {
  CALL: 1,
  SEND: 2,
  ACK: 3,
  PING: 4,
  REPLY: 5,
  DELIVER: 6,
  RECEIPT: 7,
  EVENT: 8,
  PONG: 9,
} as const;

/** Calls `visit(kind, start, end)` for each frame of a serialised Frames; unknown kinds too. Throws WireError; what was visited before stands. */
export function forEachFrame(frames: Uint8Array, visit: (kind: number, start: number, end: number) => void): void {
  const outer = new Reader(frames);
  while (outer.next()) {
    if (outer.field !== 1) {
      outer.skip();
      continue;
    }
    const start = outer.bytesStart();
    const frame = new Reader(frames, start, outer.offset);
    while (frame.next()) {
      if (frame.type !== BYTES) {
        frame.skip();
        continue;
      }
      const from = frame.bytesStart();
      visit(frame.field, from, frame.offset);
    }
  }
}

/** Wraps a serialised message of a frame kind as one entry of Frames: the bytes that go into a box. */
export function wrapFrame(kind: number, message: Uint8Array): Uint8Array {
  const inner = bytesFieldSize(message.length);
  const writer = new Writer(shortLived(bytesFieldSize(inner)));
  frameHeader(writer, kind, message.length);
  writer.buffer.set(message, writer.offset);
  return writer.buffer;
}

function frameHeader(writer: Writer, kind: number, length: number): void {
  writer.tag(1, BYTES);
  writer.varint(bytesFieldSize(length));
  writer.tag(kind, BYTES);
  writer.varint(length);
}

/** A Send; id, payload, slot and commit id are views into the bytes that it was read from. */
export interface ParsedSend {
  id: Uint8Array;
  recipients: number;
  /** Device id (16) and token (32) of each recipient, one after the other. */
  devices: Uint8Array;
  tokens: Uint8Array;
  payload: Uint8Array;
  /** Seconds. */
  ttl: number;
  /** Both empty, or both set. */
  slot: Uint8Array;
  commitId: Uint8Array;
}

const EMPTY: Uint8Array = new Uint8Array(0);

/** Where recipients gather while a Send is read, which takes no turn of the event loop: without a view for each of a thousand. */
const deviceScratch = new Uint8Array(LIMITS.recipientsPerSend * ID_BYTES);
const tokenScratch = new Uint8Array(LIMITS.recipientsPerSend * TOKEN_BYTES);
const RECIPIENTS = 'a Send has 1 to 1,000 recipients';
/** A recipient as it travels, and all else of a Send but its payload, with room for fields to come: who holds a Send counts its payload alone. */
const RECIPIENT_WIRE_BYTES = 64;
const OTHER_WIRE_BYTES = 1_024;

/** Throws WireError for anything that is not a Send within the limits. */
export function parseSend(bytes: Uint8Array): ParsedSend {
  const send: ParsedSend = {
    id: EMPTY,
    recipients: 0,
    devices: EMPTY,
    tokens: EMPTY,
    payload: EMPTY,
    ttl: 0,
    slot: EMPTY,
    commitId: EMPTY,
  };
  const reader = new Reader(bytes);
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        send.id = reader.bytes();
        break;
      case 2:
        parseRecipient(reader, send);
        break;
      case 3:
        send.payload = reader.bytes();
        break;
      case 4:
        send.ttl = reader.uint32();
        break;
      case 5:
        send.slot = reader.bytes();
        break;
      case 6:
        send.commitId = reader.bytes();
        break;
      default:
        reader.skip();
    }
  }
  if (send.id.length !== ID_BYTES) throw new WireError('a Send has an id of 16 bytes');
  if (send.recipients === 0) throw new WireError(RECIPIENTS);
  if (send.payload.length > LIMITS.payloadBytes) throw new WireError('a payload has at most 256 KiB');
  if (bytes.length > send.payload.length + send.recipients * RECIPIENT_WIRE_BYTES + OTHER_WIRE_BYTES)
    throw new WireError('a Send has little beside its payload and its recipients');
  if (!isClaim(send) && send.slot.length + send.commitId.length > 0)
    throw new WireError('a commit slot has 32 bytes and comes with a commit id of 16');
  send.devices = deviceScratch.slice(0, send.recipients * ID_BYTES);
  send.tokens = tokenScratch.slice(0, send.recipients * TOKEN_BYTES);
  return send;
}

/** The id of a Send that may break any other rule, to say which one is refused; empty when there is none to be read. */
export function idOfSend(bytes: Uint8Array): Uint8Array {
  let id = EMPTY;
  const reader = new Reader(bytes);
  try {
    while (reader.next()) {
      if (reader.field === 1) id = reader.bytes();
      else reader.skip();
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  return id.length === ID_BYTES ? id : EMPTY;
}

function isClaim({ slot, commitId }: ParsedSend): boolean {
  return slot.length === SLOT_BYTES && commitId.length === ID_BYTES;
}

/** Puts device and token behind those that were read before. */
function parseRecipient(outer: Reader, send: ParsedSend): void {
  if (send.recipients === LIMITS.recipientsPerSend) throw new WireError(RECIPIENTS);
  const start = outer.bytesStart();
  const reader = new Reader(outer.buffer, start, outer.offset);
  let parts = 0;
  while (reader.next()) {
    if (reader.field === 1) parts |= readInto(deviceScratch, send.recipients, ID_BYTES, reader) ? 1 : 4;
    else if (reader.field === 2) parts |= readInto(tokenScratch, send.recipients, TOKEN_BYTES, reader) ? 2 : 4;
    else reader.skip();
  }
  if (parts !== 3) throw new WireError('a recipient has a device of 16 and a token of 32 bytes');
  send.recipients++;
}

function readInto(target: Uint8Array, place: number, length: number, reader: Reader): boolean {
  const start = reader.bytesStart();
  if (reader.offset - start !== length) return false;
  const at = place * length;
  for (let i = 0; i < length; i++) target[at + i] = reader.buffer[start + i]!;
  return true;
}

/** The handle of a Deliver: which relay, and its own number of the delivery. */
export interface ParsedAck {
  relay: number;
  delivery: number;
  outcome: Outcome;
}

export function parseAck(bytes: Uint8Array): ParsedAck {
  const ack: ParsedAck = { relay: 0, delivery: 0, outcome: 0 };
  const reader = new Reader(bytes);
  while (reader.next()) {
    if (reader.field === 1 && reader.type === FIXED64) {
      ack.delivery = reader.raw32();
      ack.relay = reader.raw32();
    } else if (reader.field === 2) ack.outcome = reader.uint32();
    else reader.skip();
  }
  if (ack.relay === 0) throw new WireError('an Ack has the handle of a Deliver');
  return ack;
}

/** A Deliver as an entry of Frames but for its payload, which comes last: so that many can share one. */
export function encodeDeliverStart(relay: number, delivery: number, payloadLength: number): Uint8Array {
  const length = 9 + bytesFieldSize(payloadLength);
  const writer = new Writer(shortLived(bytesFieldSize(bytesFieldSize(length)) - payloadLength));
  frameHeader(writer, FrameKind.DELIVER, length);
  writer.fixed64(1, delivery, relay);
  writer.tag(2, BYTES);
  writer.varint(payloadLength);
  return writer.buffer;
}

/** Length of the entry of Frames that begins with these bytes, all of it. */
export function entryLength(start: Uint8Array): number {
  const reader = new Reader(start);
  reader.next();
  return reader.varint() + reader.offset;
}

/** A Receipt about one device, or about the whole Send when `device` is empty, as an entry of Frames. */
export function encodeReceipt(id: Uint8Array, device: Uint8Array, status: ReceiptStatus, relay = 0): Uint8Array {
  const length =
    (id.length > 0 ? bytesFieldSize(id.length) : 0) +
    (device.length > 0 ? bytesFieldSize(device.length) : 0) +
    1 +
    varintSize(status) +
    (relay === 0 ? 0 : 5);
  const writer = new Writer(shortLived(bytesFieldSize(bytesFieldSize(length))));
  frameHeader(writer, FrameKind.RECEIPT, length);
  if (id.length > 0) writer.bytes(1, id);
  if (device.length > 0) writer.bytes(2, device);
  writer.tag(3, VARINT);
  writer.varint(status);
  if (relay !== 0) writer.fixed32(4, relay);
  return writer.buffer;
}

// The client's half: what it writes (Send, Ack) and what it reads (Deliver, Receipt).

/** A Send as its client writes it. */
export interface OutgoingSend {
  id: Uint8Array;
  devices: Uint8Array[];
  tokens: Uint8Array[];
  payload: Uint8Array;
  /** Seconds. */
  ttl: number;
  /** Only for a commit. */
  slot?: Uint8Array;
  commitId?: Uint8Array;
}

/** A Send to one or more devices as an entry of Frames. */
export function encodeSend(send: OutgoingSend): Uint8Array {
  const recipient = bytesFieldSize(ID_BYTES) + bytesFieldSize(TOKEN_BYTES);
  const { id, devices, tokens, payload, ttl, slot = EMPTY, commitId = EMPTY } = send;
  const length =
    bytesFieldSize(id.length) +
    devices.length * bytesFieldSize(recipient) +
    optionalSize(payload) +
    (ttl === 0 ? 0 : 1 + varintSize(ttl)) +
    optionalSize(slot) +
    optionalSize(commitId);
  const writer = new Writer(shortLived(bytesFieldSize(bytesFieldSize(length))));
  frameHeader(writer, FrameKind.SEND, length);
  writer.bytes(1, id);
  for (let i = 0; i < devices.length; i++) {
    writer.tag(2, BYTES);
    writer.varint(recipient);
    writer.bytes(1, devices[i]!);
    writer.bytes(2, tokens[i]!);
  }
  if (payload.length > 0) writer.bytes(3, payload);
  if (ttl !== 0) {
    writer.tag(4, VARINT);
    writer.varint(ttl);
  }
  if (slot.length > 0) writer.bytes(5, slot);
  if (commitId.length > 0) writer.bytes(6, commitId);
  return writer.buffer;
}

function optionalSize(value: Uint8Array): number {
  return value.length === 0 ? 0 : bytesFieldSize(value.length);
}

/** An Ack of the Deliver with this handle, as an entry of Frames. */
export function encodeAck({ relay, delivery, outcome }: ParsedAck): Uint8Array {
  const length = 9 + 1 + varintSize(outcome);
  const writer = new Writer(shortLived(bytesFieldSize(bytesFieldSize(length))));
  frameHeader(writer, FrameKind.ACK, length);
  writer.fixed64(1, delivery, relay);
  writer.tag(2, VARINT);
  writer.varint(outcome);
  return writer.buffer;
}

export interface ParsedDeliver {
  /** Both halves of the handle, for the Ack. */
  relay: number;
  delivery: number;
  payload: Uint8Array;
}

/** A Deliver, as a view into the bytes that it was read from. Throws WireError. */
export function parseDeliver(bytes: Uint8Array): ParsedDeliver {
  const deliver: ParsedDeliver = { relay: 0, delivery: 0, payload: EMPTY };
  const reader = new Reader(bytes);
  while (reader.next()) {
    if (reader.field === 1 && reader.type === FIXED64) {
      deliver.delivery = reader.raw32();
      deliver.relay = reader.raw32();
    } else if (reader.field === 2) deliver.payload = reader.bytes();
    else reader.skip();
  }
  return deliver;
}

/** A Receipt but for its error and commit id, which are rare: read those with protobuf-es. */
export interface ParsedReceipt {
  id: Uint8Array;
  device: Uint8Array;
  status: ReceiptStatus;
  relay: number;
}

/** Views into the bytes that it was read from. Throws WireError. */
export function parseReceipt(bytes: Uint8Array): ParsedReceipt {
  const receipt: ParsedReceipt = { id: EMPTY, device: EMPTY, status: 0, relay: 0 };
  const reader = new Reader(bytes);
  while (reader.next()) {
    if (reader.field === 1) receipt.id = reader.bytes();
    else if (reader.field === 2) receipt.device = reader.bytes();
    else if (reader.field === 3) receipt.status = reader.uint32();
    else if (reader.field === 4) receipt.relay = reader.fixed32();
    else reader.skip();
  }
  return receipt;
}
