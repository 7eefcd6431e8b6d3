import { UsageError } from '../command-line/usage-error.js';
import type { JsonFields } from './json-fields.js';
import { standsAlone, wordsOf } from './words.js';

/** `message`: a number that was shown, an id, or `all` that waits in a conversation: the one named, or the one that is before the user. */
export type QueueCommand =
  { readonly do: 'queue' } | { readonly do: 'discard' | 'resend'; readonly message: string; readonly in?: string | undefined };

export const QUEUE_WORDS = ['queue', 'discard', 'resend'] as const;
type QueueWord = (typeof QUEUE_WORDS)[number];

export const isQueueWord = (word: unknown): word is QueueWord => (QUEUE_WORDS as readonly unknown[]).includes(word);

export const ALL = 'all';

/** What follows the word. Throws UsageError. */
export function parseTypedQueue(word: QueueWord, rest: string): QueueCommand {
  if (word === 'queue') return { do: standsAlone(word, rest) };
  const [message = '', ...names] = wordsOf(rest);
  const [name, ...more] = names;
  if (message === '' || more.length > 0 || (message !== ALL && name !== undefined))
    throw new UsageError(`/${word} takes one NUMBER of the queue, or all, and whose if it is not this conversation: /${word} all NAME`);
  return name === undefined ? { do: word, message } : { do: word, message, in: name };
}

/** Throws UsageError. */
export function parseJsonQueue(word: QueueWord, fields: JsonFields): QueueCommand {
  return word === 'queue' ? { do: word } : { do: word, message: fields.text('message'), in: fields.optional('in') };
}
