import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { BYTES, FIXED32, FIXED64, Reader, VARINT, WireError } from './wire.js';

/**
 * Whether a message has more fields than that, with those of the messages in it. To read a field makes an object, which takes a hundred times longer
 * than to count its two bytes: what strangers send is counted first. Throws WireError for what is no message, and for a known field of another wire
 * type than its own: whoever reads it would see other fields behind that than are counted here.
 */
export function hasMoreFieldsThan(most: number, schema: DescMessage, bytes: Uint8Array): boolean {
  return fieldsLeft(most, schema, bytes) < 0;
}

function fieldsLeft(most: number, schema: DescMessage, bytes: Uint8Array): number {
  const reader = new Reader(bytes);
  let left = most;
  while (left >= 0 && reader.next()) {
    left--;
    const field = schema.fields.find(({ number }) => number === reader.field);
    if (field !== undefined && reader.type !== wireTypeOf(field)) throw new WireError('a field of another type');
    if (field?.message !== undefined) left = fieldsLeft(left, field.message, reader.bytes());
    else if (isPacked(field)) left -= reader.bytes().length;
    else reader.skip();
  }
  return left;
}

/** Its numbers stand one behind the other, each in a byte at least. */
function isPacked(field: DescField | undefined): boolean {
  return field?.fieldKind === 'list' && numberType(field) !== undefined;
}

function wireTypeOf(field: DescField): number {
  return field.fieldKind === 'list' ? BYTES : (numberType(field) ?? BYTES);
}

/** Of a number, or each of several. Undefined: it is none. */
function numberType(field: DescField): number | undefined {
  if (field.enum !== undefined) return VARINT;
  switch (field.scalar) {
    case undefined:
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return undefined;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return FIXED64;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return FIXED32;
    default:
      return VARINT;
  }
}

/** The first text in that field, of which nothing else was read. Undefined: there is none. Throws WireError for what is no message. */
export function textIn(bytes: Uint8Array, field: number): string | undefined {
  const reader = new Reader(bytes);
  while (reader.next()) {
    if (reader.field === field && reader.type === BYTES) return new TextDecoder().decode(reader.bytes());
    reader.skip();
  }
  return undefined;
}
