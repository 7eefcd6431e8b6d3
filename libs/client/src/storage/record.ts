import { Encoder } from 'cbor-x';

const codec = new Encoder({ useRecords: false, mapsAsObjects: true, tagUint8Array: false, variableMapSize: true });

/** Plain data (numbers, text, bytes, lists, objects) as CBOR. */
export function encodeRecord(value: unknown): Uint8Array {
  return new Uint8Array(codec.encode(value));
}

export function decodeRecord<T>(bytes: Uint8Array): T {
  return codec.decode(bytes) as T;
}
