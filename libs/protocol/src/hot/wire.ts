// The few pieces of the protobuf wire format (proto3 encoding guide) that the hot frames need.

/** Wire types. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** Bytes that `value` (0 … 2^32-1) takes as a varint. */
export function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

/** Bytes of a length-delimited field with a one-byte tag. */
export function bytesFieldSize(length: number): number {
  return 1 + varintSize(length) + length;
}

/** Appends fields to a buffer that is large enough. Tags are one byte: field numbers up to 15. */
export class Writer {
  offset = 0;

  constructor(readonly buffer: Uint8Array) {}

  varint(value: number): void {
    const { buffer } = this;
    while (value > 0x7f) {
      buffer[this.offset++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    buffer[this.offset++] = value;
  }

  tag(field: number, type: number): void {
    this.buffer[this.offset++] = (field << 3) | type;
  }

  bytes(field: number, value: Uint8Array): void {
    this.tag(field, BYTES);
    this.varint(value.length);
    this.buffer.set(value, this.offset);
    this.offset += value.length;
  }

  fixed32(field: number, value: number): void {
    this.tag(field, FIXED32);
    this.raw32(value);
  }

  raw32(value: number): void {
    const { buffer } = this;
    buffer[this.offset++] = value;
    buffer[this.offset++] = value >>> 8;
    buffer[this.offset++] = value >>> 16;
    buffer[this.offset++] = value >>> 24;
  }

  /** A fixed64 given as its two halves. */
  fixed64(field: number, low: number, high: number): void {
    this.tag(field, FIXED64);
    this.raw32(low);
    this.raw32(high);
  }
}

/** Bytes that are no message of the expected type. */
export class WireError extends Error {}

/** Walks over the fields of a message. Every read is bounded by `end`; what lies outside throws WireError. */
export class Reader {
  offset: number;
  end: number;
  field = 0;
  type = 0;

  constructor(
    readonly buffer: Uint8Array,
    start = 0,
    end = buffer.length,
  ) {
    this.offset = start;
    this.end = end;
  }

  /** Reads the next tag into `field` and `type`; false at the end. */
  next(): boolean {
    if (this.offset >= this.end) return false;
    const tag = this.varint();
    this.field = tag >>> 3;
    this.type = tag & 7;
    if (this.field === 0) throw new WireError('field number 0');
    return true;
  }

  /** A varint; bits above the 32nd are dropped, as protobuf prescribes for uint32. */
  varint(): number {
    const { buffer, end } = this;
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.offset >= end) throw new WireError('truncated varint');
      const byte = buffer[this.offset++]!;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new WireError('varint too long');
  }

  /** The start of a length-delimited value; moves past it, so that `offset` is its end. */
  bytesStart(): number {
    if (this.type !== BYTES) throw new WireError('expected a length-delimited field');
    const length = this.varint();
    const start = this.offset;
    if (length > this.end - start) throw new WireError('truncated field');
    this.offset = start + length;
    return start;
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    const start = this.bytesStart();
    return this.buffer.subarray(start, this.offset);
  }

  fixed32(): number {
    if (this.type !== FIXED32) throw new WireError('expected a fixed32');
    return this.raw32();
  }

  raw32(): number {
    const at = this.offset;
    if (at + 4 > this.end) throw new WireError('truncated fixed value');
    this.offset = at + 4;
    const { buffer } = this;
    return (buffer[at]! | (buffer[at + 1]! << 8) | (buffer[at + 2]! << 16) | (buffer[at + 3]! << 24)) >>> 0;
  }

  uint32(): number {
    if (this.type !== VARINT) throw new WireError('expected a varint');
    return this.varint();
  }

  skip(): void {
    if (this.type === VARINT) this.varint();
    else if (this.type === BYTES) this.bytesStart();
    else if (this.type === FIXED64 || this.type === FIXED32) {
      this.offset += this.type === FIXED64 ? 8 : 4;
      if (this.offset > this.end) throw new WireError('truncated fixed value');
    } else throw new WireError('unknown wire type');
  }
}
