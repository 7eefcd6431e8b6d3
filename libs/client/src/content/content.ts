import { decodeRecord, encodeRecord } from '../storage/record.js';
import { randomBytes } from '../sodium.js';

/** What a message says. */
export interface TextContent {
  readonly text: string;
  /** Unix milliseconds by the sender's clock. */
  readonly sentAt: number;
}

const RENDER = 1;
const SINGLE = 1;
const MARKDOWN = 'text/markdown;variant=GFM-MIMI';
const PLAIN = 'text/plain;charset=utf-8';
/** The MIMI message carries no time of its own; ours is an extension of it, by name. */
const SENT_TIME = 'sotto.sent_time';

/** MimiContent (draft-ietf-mimi-content §4): [salt, replaces, topic, expires, in reply to, extensions, [disposition, language, cardinality, type, content]]. */
export function encodeContent({ text, sentAt }: TextContent): Uint8Array {
  const part = [RENDER, '', SINGLE, PLAIN, new TextEncoder().encode(text)];
  return encodeRecord([randomBytes(16), null, new Uint8Array(0), null, null, { [SENT_TIME]: sentAt }, part]);
}

/** Undefined when it is not a text that this version can show. */
export function decodeContent(bytes: Uint8Array): TextContent | undefined {
  try {
    const [, , , , , extensions, part] = decodeRecord<unknown[]>(bytes);
    const [, , cardinality, type, content] = part as unknown[];
    const sentAt = Number((extensions as Record<string, unknown>)[SENT_TIME]);
    const known = cardinality === SINGLE && (type === PLAIN || type === MARKDOWN) && content instanceof Uint8Array;
    if (!known || !Number.isFinite(sentAt)) return undefined;
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(content), sentAt };
  } catch {
    return undefined;
  }
}
