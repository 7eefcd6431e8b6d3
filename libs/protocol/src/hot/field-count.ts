import type { DescMessage } from '@bufbuild/protobuf';
import { BYTES, Reader } from './wire.js';

/**
 * Whether a message has more fields than that, with those of the messages in it. To read a field makes an object, which takes a hundred times longer
 * than to count its two bytes: what strangers send is counted first. Throws WireError for what is no message.
 */
export function hasMoreFieldsThan(most: number, schema: DescMessage, bytes: Uint8Array): boolean {
  return fieldsLeft(most, schema, bytes) < 0;
}

function fieldsLeft(most: number, schema: DescMessage, bytes: Uint8Array): number {
  const reader = new Reader(bytes);
  let left = most;
  while (left >= 0 && reader.next()) {
    left--;
    const message = reader.type === BYTES ? messageIn(schema, reader.field) : undefined;
    if (message === undefined) reader.skip();
    else left = fieldsLeft(left, message, reader.bytes());
  }
  return left;
}

function messageIn({ fields }: DescMessage, number: number): DescMessage | undefined {
  return fields.find((field) => field.number === number)?.message;
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
