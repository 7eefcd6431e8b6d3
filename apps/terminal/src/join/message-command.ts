import { UsageError } from '../command-line/usage-error.js';
import type { JsonFields } from './json-fields.js';
import { firstWord } from './words.js';

/** `message` is a number that was shown, or an id; `in` says in which conversation when that was never shown here. */
interface About {
  readonly message: string;
  readonly in?: string | undefined;
}

/** What is done with messages that are there. */
export type MessageCommand =
  | ({ readonly do: 'reply' | 'edit'; readonly text: string } & About)
  | ({ readonly do: 'react'; readonly emoji: string } & About)
  /** Without an emoji: all of one's own. */
  | ({ readonly do: 'unreact'; readonly emoji?: string | undefined } & About)
  | ({ readonly do: 'delete' | 'read' | 'show' } & About)
  /** For what is written in a conversation from now on; undefined: it stays. */
  | { readonly do: 'expire'; readonly afterMs: number | undefined; readonly in?: string | undefined }
  | { readonly do: 'search'; readonly text: string; readonly in?: string | undefined; readonly count: number }
  | { readonly do: 'typing'; readonly in?: string | undefined }
  | { readonly do: 'read-receipts'; readonly on: boolean }
  /** Undefined: for good. */
  | { readonly do: 'retention'; readonly days: number | undefined };

export const MESSAGE_WORDS = [
  ...(['reply', 'react', 'unreact', 'edit', 'delete', 'expire', 'search', 'show', 'read-receipts', 'retention'] as const),
  /** Programs alone say these: a line that is shown is read. */
  ...(['read', 'typing'] as const),
];
type MessageWord = (typeof MESSAGE_WORDS)[number];

export const isMessageWord = (word: unknown): word is MessageWord => (MESSAGE_WORDS as readonly unknown[]).includes(word);

const FOUND_AT_ONCE = 20;
const MOST_FOUND = 1_000;
const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** What follows the word. Throws UsageError. */
export function parseTypedMessage(word: MessageWord, rest: string): MessageCommand {
  switch (word) {
    case 'reply':
    case 'edit':
      return { do: word, ...withText(word, 'TEXT', rest) };
    case 'react': {
      const { message, text: emoji } = withText(word, 'EMOJI', rest);
      return { do: word, message, emoji };
    }
    case 'unreact': {
      const { word: message = '', rest: emoji = '' } = firstWord(rest) ?? {};
      if (message === '') throw new UsageError('/unreact takes a NUMBER, and the EMOJI if it is to be one of several');
      return { do: word, message, ...(emoji !== '' && { emoji }) };
    }
    case 'delete':
    case 'read':
    case 'show':
      if (rest === '' || /\s/u.test(rest)) throw new UsageError(`/${word} takes one NUMBER`);
      return { do: word, message: rest };
    case 'search':
      if (rest === '') throw new UsageError('/search takes WORDS as they stand in a message');
      return { do: word, text: rest, count: FOUND_AT_ONCE };
    case 'typing':
      return { do: word };
    default:
      return typedSetting(word, rest);
  }
}

function typedSetting(word: 'expire' | 'read-receipts' | 'retention', rest: string): MessageCommand {
  switch (word) {
    case 'expire':
      return { do: word, afterMs: rest === 'off' ? undefined : duration(rest) };
    case 'read-receipts':
      if (rest !== 'on' && rest !== 'off') throw new UsageError('/read-receipts takes on or off');
      return { do: word, on: rest === 'on' };
    case 'retention':
      if (rest !== 'off' && !/^\d{1,5}$/.test(rest)) throw new UsageError('/retention takes a number of DAYS, or off');
      return { do: word, days: rest === 'off' ? undefined : Number(rest) };
  }
}

function withText(word: string, what: string, rest: string): { message: string; text: string } {
  const { word: message = '', rest: text = '' } = firstWord(rest) ?? {};
  if (message === '' || text === '') throw new UsageError(`/${word} takes a NUMBER and ${what}: /${word} 3 …`);
  return { message, text };
}

function duration(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,5})\s*([smhdw])$/u.exec(text) ?? [];
  if (count === '') throw new UsageError('/expire takes a duration, such as 30s, 10m, 8h, 7d, or off');
  return Number(count) * UNITS[unit]!;
}

/** Throws UsageError. */
export function parseJsonMessage(word: MessageWord, fields: JsonFields): MessageCommand {
  const where = { in: fields.optional('in') };
  switch (word) {
    case 'reply':
    case 'edit':
      return { do: word, message: fields.text('message'), text: fields.text('text'), ...where };
    case 'react':
      return { do: word, message: fields.text('message'), emoji: fields.text('emoji'), ...where };
    case 'unreact':
      return { do: word, message: fields.text('message'), emoji: fields.optional('emoji'), ...where };
    case 'delete':
    case 'read':
    case 'show':
      return { do: word, message: fields.text('message'), ...where };
    case 'expire':
      return { do: word, afterMs: milliseconds(fields.numberOrNull('seconds')), ...where };
    case 'search':
      return { do: word, text: fields.text('text'), count: countIn(fields.value['count'] ?? FOUND_AT_ONCE), ...where };
    case 'typing':
      return { do: word, ...where };
    case 'read-receipts':
      return { do: word, on: fields.flag('on') };
    case 'retention':
      return { do: word, days: fields.numberOrNull('days') };
  }
}

function milliseconds(seconds: number | undefined): number | undefined {
  if (seconds === undefined) return undefined;
  if (seconds <= 0) throw new UsageError('"seconds" of "expire" is more than 0, or null for never');
  return 1_000 * seconds;
}

function countIn(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MOST_FOUND) return value;
  throw new UsageError(`"count" is from 1 to ${MOST_FOUND}`);
}
