import { UsageError } from '../command-line/usage-error.js';
import { didYouMean } from '../command-line/suggestion.js';

/** What the user wants: a typed line, or one JSON object a line. */
export type ChatCommand =
  | { readonly do: 'add' | 'accept' | 'decline' | 'verify'; readonly name: string }
  | { readonly do: 'to'; readonly name: string }
  /** Without `to`: to whom one writes at the moment. */
  | { readonly do: 'send'; readonly to?: string | undefined; readonly text: string }
  /** The number that the queue shows, or the id. */
  | { readonly do: 'discard'; readonly message: string }
  | { readonly do: 'contacts' | 'queue' | 'help' | 'quit' };

const WITH_NAME = ['add', 'accept', 'decline', 'verify'] as const;
const ALONE = ['contacts', 'queue', 'help', 'quit'] as const;
const WORDS = [...WITH_NAME, ...ALONE, 'to', 'discard'];

const isOneOf = <T extends string>(words: readonly T[], word: unknown): word is T => (words as readonly unknown[]).includes(word);

/** Undefined for an empty line. Throws UsageError. */
export function parseTypedLine(line: string): ChatCommand | undefined {
  if (line.trim() === '') return undefined;
  if (line.startsWith('//')) return { do: 'send', text: line.slice(1) };
  if (!line.startsWith('/')) return { do: 'send', text: line };
  const [, word = '', rest = ''] = /^\/(\S*)\s*(.*)$/su.exec(line.trimEnd()) ?? [];
  if (isOneOf(ALONE, word)) return alone(word, rest);
  if (isOneOf(WITH_NAME, word)) return { do: word, name: oneWord(word, 'NAME', rest) };
  if (word === 'discard') return { do: 'discard', message: oneWord(word, 'NUMBER', rest) };
  if (word === 'to') return writeTo(rest);
  throw new UsageError(`there is no /${word}${didYouMean(word, WORDS, '/')} /help lists what there is`);
}

function alone(word: (typeof ALONE)[number], rest: string): ChatCommand {
  if (rest !== '') throw new UsageError(`/${word} stands alone`);
  return { do: word };
}

function oneWord(word: string, what: string, rest: string): string {
  if (rest === '' || /\s/u.test(rest)) throw new UsageError(`/${word} takes one ${what}`);
  return rest;
}

function writeTo(rest: string): ChatCommand {
  const [, name = '', text = ''] = /^(\S*)\s*(.*)$/su.exec(rest) ?? [];
  if (name === '') throw new UsageError('/to takes a NAME, and text if you like');
  return text === '' ? { do: 'to', name } : { do: 'send', to: name, text };
}

/** Throws UsageError. */
export function parseJsonLine(line: string): ChatCommand | undefined {
  if (line.trim() === '') return undefined;
  const value = jsonObject(line);
  const text = (field: string): string => {
    const found = value[field];
    if (typeof found !== 'string' || found === '') throw new UsageError(`"${String(value['do'])}" needs "${field}", a text`);
    return found;
  };
  const word = value['do'];
  if (isOneOf(ALONE, word)) return { do: word };
  if (isOneOf(WITH_NAME, word)) return { do: word, name: text('name') };
  if (word === 'to') return { do: 'to', name: text('name') };
  if (word === 'discard') return { do: 'discard', message: text('message') };
  if (word === 'send') return { do: 'send', to: value['to'] === undefined ? undefined : text('to'), text: text('text') };
  throw new UsageError(`"do" is one of ${[...WORDS, 'send'].join(', ')}`);
}

function jsonObject(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below, with the rest of what is no object.
  }
  throw new UsageError('a line must be one JSON object, such as {"do":"send","to":"bob","text":"hi"}');
}
