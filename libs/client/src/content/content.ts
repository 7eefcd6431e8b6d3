import { decode, encode } from 'cborg';
import { MARKDOWN, PLAIN, type Part, SINGLE_PART, type Text, textOf } from './body.js';
import { isMessageRef, type MessageRef, refBytes, refOf } from './message-ref.js';

/** MimiContent (draft-ietf-mimi-content-08 §4): what one application message says, as far as this version knows it. */
export type MessageContent =
  | ({ readonly kind: 'text'; readonly replyTo?: MessageRef | undefined } & Text)
  | ({ readonly kind: 'edit'; readonly of: MessageRef; readonly replyTo?: MessageRef | undefined } & Text)
  | { readonly kind: 'deletion'; readonly of: MessageRef }
  /** `instead`: an earlier reaction of the same account that it takes the place of. */
  | { readonly kind: 'reaction'; readonly to: MessageRef; readonly emoji: string; readonly instead?: MessageRef | undefined }
  | { readonly kind: 'unreaction'; readonly to: MessageRef; readonly reaction: MessageRef }
  /** draft-mahy-mimi-message-status: what its sender has read. */
  | { readonly kind: 'receipt'; readonly read: readonly MessageRef[] };

export interface ContentTimes {
  /** Unix milliseconds by the sender's clock. */
  readonly sentAt: number;
  /** Unix milliseconds; on the wire in seconds. */
  readonly expiresAt?: number | undefined;
}

export type ReadContent = MessageContent & ContentTimes;

/** Of a text, in UTF-8. */
export const MOST_TEXT_BYTES = 64 * 1024;
/** One emoji of several people with skin tones is about 40 bytes. */
const MOST_EMOJI_BYTES = 64;
const MOST_STATUSES = 256;
const EMOJI = /^[^\s\p{Cc}\u202a-\u202e\u2066-\u2069]+$/u;

/** Dispositions (§4.4). */
const UNSPECIFIED = 0;
const RENDER = 1;
const REACTION = 2;
/** A cardinality, as SINGLE_PART. */
const NULL_PART = 0;

const STATUS_REPORT = 'application/mimi-message-status';
const STATUS_READ = 2;
/** The MIMI message carries no time of its own: the hub that would add one is a server here that sees none. Text keys are for private use (§4.3). */
const SENT_TIME = 'sotto.sent_time';
const SALT_BYTES = 16;

interface Behaviour {
  readonly replaces?: MessageRef | undefined;
  readonly inReplyTo?: MessageRef | undefined;
}

/** @param salt 16 random bytes, never used again */
export function encodeContent(content: MessageContent, { sentAt, expiresAt }: ContentTimes, salt: Uint8Array): Uint8Array {
  const { replaces, inReplyTo } = behaviourOf(content);
  const expires = expiresAt === undefined ? null : [false, Math.ceil(expiresAt / 1_000)];
  const reference = (ref: MessageRef | undefined) => (ref === undefined ? null : refBytes(ref));
  const extensions = new Map([[SENT_TIME, sentAt]]);
  return encode([salt, reference(replaces), new Uint8Array(0), expires, reference(inReplyTo), extensions, partOf(content)]);
}

function behaviourOf(content: MessageContent): Behaviour {
  switch (content.kind) {
    case 'text':
      return { inReplyTo: content.replyTo };
    case 'edit':
      return { replaces: content.of, inReplyTo: content.replyTo };
    case 'deletion':
      return { replaces: content.of };
    case 'reaction':
      return { replaces: content.instead, inReplyTo: content.to };
    case 'unreaction':
      return { replaces: content.reaction, inReplyTo: content.to };
    case 'receipt':
      return {};
  }
}

function partOf(content: MessageContent): Part {
  const utf8 = (text: string) => new TextEncoder().encode(text);
  switch (content.kind) {
    case 'text':
    case 'edit':
      return [RENDER, '', SINGLE_PART, content.markdown === true ? MARKDOWN : PLAIN, utf8(content.text)];
    case 'deletion':
      return [RENDER, '', NULL_PART];
    case 'reaction':
      return [REACTION, '', SINGLE_PART, PLAIN, utf8(content.emoji)];
    case 'unreaction':
      return [REACTION, '', NULL_PART];
    case 'receipt':
      return [UNSPECIFIED, '', SINGLE_PART, STATUS_REPORT, encode(content.read.map((ref) => [refBytes(ref), STATUS_READ]))];
  }
}

/** Undefined for what this version does not know; anybody may have made the bytes. @param receivedAt from which a relative time to live counts */
export function decodeContent(bytes: Uint8Array, receivedAt: number): ReadContent | undefined {
  try {
    const fields = decodeStrictly(bytes);
    if (!Array.isArray(fields) || fields.length !== 7) return undefined;
    const [salt, replaces, topic, expires, inReplyTo, extensions, part] = fields as unknown[];
    const sentAt = extensions instanceof Map ? (extensions.get(SENT_TIME) as unknown) : undefined;
    if (!isBytes(salt, SALT_BYTES) || !isBytes(topic) || !isTime(sentAt) || !Array.isArray(part)) return undefined;
    const content = contentOf({ replaces: referenceIn(replaces), inReplyTo: referenceIn(inReplyTo) }, part);
    return content && { ...content, sentAt, ...expiryIn(expires, receivedAt) };
  } catch {
    return undefined;
  }
}

function contentOf({ replaces, inReplyTo }: Behaviour, part: Part): MessageContent | undefined {
  const [disposition, , cardinality, type, content] = part;
  if (type === STATUS_REPORT) return isBytes(content) ? { kind: 'receipt', read: readIn(content) } : undefined;
  if (disposition === REACTION) {
    if (inReplyTo === undefined) return undefined;
    if (cardinality === NULL_PART) return replaces === undefined ? undefined : { kind: 'unreaction', to: inReplyTo, reaction: replaces };
    const emoji = textOf(part)?.text;
    return emoji !== undefined && isEmoji(emoji) ? { kind: 'reaction', to: inReplyTo, emoji, instead: replaces } : undefined;
  }
  if (cardinality === NULL_PART) return replaces === undefined ? undefined : { kind: 'deletion', of: replaces };
  const text = disposition === RENDER ? textOf(part) : undefined;
  if (text === undefined || isTooLong(text.text)) return undefined;
  return replaces === undefined
    ? { kind: 'text', replyTo: inReplyTo, ...text }
    : { kind: 'edit', of: replaces, replyTo: inReplyTo, ...text };
}

export function isTooLong(text: string): boolean {
  return text.length > MOST_TEXT_BYTES || new TextEncoder().encode(text).length > MOST_TEXT_BYTES;
}

export function isEmoji(text: string): boolean {
  return text.length <= MOST_EMOJI_BYTES && new TextEncoder().encode(text).length <= MOST_EMOJI_BYTES && EMOJI.test(text);
}

function readIn(report: Uint8Array): MessageRef[] {
  const statuses = decodeStrictly(report) as readonly (readonly [Uint8Array, number])[];
  const read = statuses.slice(0, MOST_STATUSES).filter(([, status]) => status === STATUS_READ);
  return read.flatMap(([id]) => referenceIn(id) ?? []);
}

/** Nothing indefinite, no tags, no key twice: one meaning for the same bytes on every device. */
function decodeStrictly(bytes: Uint8Array): unknown {
  return decode(bytes, {
    strict: true,
    allowIndefinite: false,
    allowUndefined: false,
    allowBigInt: false,
    useMaps: true,
    rejectDuplicateMapKeys: true,
  });
}

function expiryIn(expires: unknown, receivedAt: number): Pick<ContentTimes, 'expiresAt'> {
  if (expires === null) return {};
  const [relative, seconds] = expires as [unknown, unknown];
  if (typeof relative !== 'boolean' || !isTime(seconds)) throw new TypeError('no expiration');
  return { expiresAt: (relative ? receivedAt : 0) + 1_000 * seconds };
}

/** Throws TypeError for what is neither null nor a message id. */
function referenceIn(field: unknown): MessageRef | undefined {
  if (field === null) return undefined;
  const ref = field instanceof Uint8Array ? refOf(field) : '';
  if (!isMessageRef(ref)) throw new TypeError('no message id');
  return ref;
}

function isBytes(value: unknown, length?: number): value is Uint8Array {
  return value instanceof Uint8Array && (length === undefined || value.length === length);
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
