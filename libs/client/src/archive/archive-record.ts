import type { Contact } from '../contacts/contact-list.js';
import type { StoredMessage } from '../history/stored-message.js';
import type { Settings } from '../messaging/settings.js';
import { decodeRecord, encodeRecord } from '../storage/record.js';
import { badArchive } from './archive-cipher.js';
import { ByteReader } from './byte-reader.js';

/** Whose archive it is, and by which key a new device confirms itself. */
export interface ArchivedAccount {
  readonly name: string;
  /** Lower-case hex. */
  readonly account: string;
  readonly server: string;
  /** Of the server. */
  readonly pin: string | undefined;
  readonly identityKey: Uint8Array;
  readonly identitySeed: Uint8Array;
}

/**
 * All that an archive holds. Never anything of a device: its MLS state, ratchets, key packages, keys and ciphertexts would be used twice, by the
 * device and by its copy.
 */
export type ArchiveRecord =
  | { readonly kind: 'account'; readonly account: ArchivedAccount; readonly exportedAt: number }
  | { readonly kind: 'settings'; readonly settings: Settings }
  | { readonly kind: 'contact'; readonly contact: Omit<Contact, 'online'> }
  /** Those of a conversation one after the other, oldest first. */
  | { readonly kind: 'message'; readonly message: StoredMessage; readonly read: boolean };

/** A message of 256 KiB, and what a thousand people may have said about it. */
const MOST_RECORD_BYTES = 16 * 1024 * 1024;
const LENGTH_BYTES = 4;

/** Each as its length (4 bytes, big endian) and CBOR. */
export async function* packRecords(records: AsyncIterable<ArchiveRecord>): AsyncGenerator<Uint8Array> {
  for await (const record of records) {
    const bytes = encodeRecord(record);
    const packed = new Uint8Array(LENGTH_BYTES + bytes.length);
    new DataView(packed.buffer).setUint32(0, bytes.length);
    packed.set(bytes, LENGTH_BYTES);
    yield packed;
  }
}

/** Of kinds that this version knows; others are passed over. Throws ClientError `bad-archive`. */
export async function* unpackRecords(packed: AsyncIterable<Uint8Array>): AsyncGenerator<ArchiveRecord> {
  const reader = new ByteReader(packed);
  try {
    while (!(await reader.atEnd())) {
      const head = await reader.read(LENGTH_BYTES);
      const length = head.length < LENGTH_BYTES ? Number.POSITIVE_INFINITY : new DataView(head.buffer).getUint32(0);
      if (length > MOST_RECORD_BYTES) throw badArchive('holds what is no record');
      const bytes = await reader.read(length);
      if (bytes.length < length) throw badArchive('ends within a record');
      const record = decoded(bytes);
      if (record !== undefined) yield record;
    }
  } finally {
    await reader.close();
  }
}

function decoded(bytes: Uint8Array): ArchiveRecord | undefined {
  let record: Partial<Record<string, unknown>> | undefined;
  try {
    record = decodeRecord<Record<string, unknown> | undefined>(bytes);
  } catch {
    throw badArchive('holds what is no record');
  }
  const { kind } = record ?? {};
  const content = typeof kind === 'string' ? record?.[kind] : undefined;
  switch (kind) {
    case 'account':
    case 'settings':
    case 'contact':
    case 'message':
      if (typeof content !== 'object' || content === null || !isWhole(kind, content as Readonly<Record<string, unknown>>))
        throw badArchive(`holds what is no ${kind}`);
      return record as unknown as ArchiveRecord;
    default:
      return undefined;
  }
}

/** That what is used as a key or a time is one; the rest is as its own device wrote it. */
function isWhole(kind: ArchiveRecord['kind'], content: Readonly<Record<string, unknown>>): boolean {
  const texts = (...names: string[]) => names.every((name) => typeof content[name] === 'string');
  switch (kind) {
    case 'account':
      return (
        texts('name', 'account', 'server') && content['identitySeed'] instanceof Uint8Array && content['identityKey'] instanceof Uint8Array
      );
    case 'contact':
      return texts('name', 'status', 'account') && content['identityKey'] instanceof Uint8Array;
    case 'message':
      return texts('ref', 'conversation', 'text') && typeof content['receivedAt'] === 'number' && typeof content['effects'] === 'object';
    case 'settings':
      return true;
  }
}
