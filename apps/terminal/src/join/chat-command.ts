import { UsageError } from '../command-line/usage-error.js';
import { didYouMean } from '../command-line/suggestion.js';
import { ACCOUNT_WORDS, type AccountCommand, isAccountWord, parseJsonAccount, parseTypedAccount } from './account-command.js';
import { type GroupCommand, parseJsonGroup, parseTypedGroup } from './group-command.js';
import { JsonFields, type Secrets } from './json-fields.js';
import { checkFields, jsonHelp } from './json-forms.js';
import { isMessageWord, MESSAGE_WORDS, type MessageCommand, parseJsonMessage, parseTypedMessage } from './message-command.js';
import { isQueueWord, parseJsonQueue, parseTypedQueue, QUEUE_WORDS, type QueueCommand } from './queue-command.js';
import { firstWord, oneWord, standsAlone } from './words.js';

export interface ContactCommand {
  readonly do: 'add' | 'accept' | 'decline' | 'remove' | 'block' | 'unblock';
  readonly name: string;
}

/** Of whom one writes to at the moment: the user is asked first. */
export interface PartingCommand {
  readonly do: 'remove' | 'block';
  readonly name?: undefined;
}

export interface ConnectCommand {
  readonly do: 'connect';
  readonly address: string;
  readonly pin?: string | undefined;
}

/** What the user wants: a typed line, or one JSON object a line. */
export type ChatCommand =
  | AccountCommand
  | ContactCommand
  | PartingCommand
  | GroupCommand
  | MessageCommand
  | { readonly do: 'verify'; readonly name: string }
  /** Trusts a contact's new key. */
  | { readonly do: 'confirm'; readonly name: string; readonly secrets: Secrets }
  /** Of a contact or a group, as `to` and `send`. */
  | { readonly do: 'history'; readonly name: string; readonly count: number }
  | { readonly do: 'to'; readonly name: string }
  /** Without `to`: to whom one writes at the moment. */
  | { readonly do: 'send'; readonly to?: string | undefined; readonly text: string }
  | QueueCommand
  /** To a peer that listens. */
  | ConnectCommand
  | { readonly do: 'contacts' }
  /** Without a text: what can be typed. */
  | { readonly do: 'help'; readonly text?: string }
  | { readonly do: 'quit' };

const WITH_NAME = ['add', 'accept', 'decline', 'verify', 'remove', 'block', 'unblock'] as const;
/** Those of them that without a NAME are about whom one writes to. */
const PARTING = ['remove', 'block'] as const;
const ALONE = ['contacts', 'help', 'quit'] as const;
/** What a line may begin with behind its slash. */
export const COMMAND_WORDS = [
  // Before words that begin as they do: the harmless one is suggested.
  ...MESSAGE_WORDS,
  ...WITH_NAME,
  ...ALONE,
  ...QUEUE_WORDS,
  'to',
  'confirm',
  'history',
  'group',
  'connect',
  ...ACCOUNT_WORDS,
];
/** Those of them that name somebody. */
export const WORDS_WITH_NAME: readonly string[] = [...WITH_NAME, 'to', 'confirm', 'history'];

const DEFAULT_HISTORY = 20;
const MAX_HISTORY = 10_000;
export const isMessageCommand = (command: ChatCommand): command is MessageCommand => isMessageWord(command.do);

export const isQueueCommand = (command: ChatCommand): command is QueueCommand => isQueueWord(command.do);

export const isParting = (command: ChatCommand): command is PartingCommand => isOneOf(PARTING, command.do) && !('name' in command);

const isOneOf = <T extends string>(words: readonly T[], word: unknown): word is T => (words as readonly unknown[]).includes(word);

/** Undefined for an empty line. Throws UsageError. */
export function parseTypedLine(line: string): ChatCommand | undefined {
  if (line.trim() === '') return undefined;
  if (line.startsWith('//')) return { do: 'send', text: line.slice(1) };
  if (!line.startsWith('/')) return { do: 'send', text: line };
  const [, word = '', rest = ''] = /^\/(\S*)\s*(.*)$/su.exec(line.trimEnd()) ?? [];
  if (isOneOf(ALONE, word)) return { do: standsAlone(word, rest) };
  if (isOneOf(PARTING, word) && rest === '') return { do: word };
  if (isOneOf(WITH_NAME, word)) return { do: word, name: oneWord(word, 'NAME', rest) };
  if (isAccountWord(word)) return parseTypedAccount(word, rest);
  if (isQueueWord(word)) return parseTypedQueue(word, rest);
  return isMessageWord(word) ? parseTypedMessage(word, rest) : typedWithArguments(word, rest);
}

function typedWithArguments(word: string, rest: string): ChatCommand {
  switch (word) {
    case 'confirm':
      return { do: 'confirm', name: oneWord(word, 'NAME', rest), secrets: {} };
    case 'to':
      return writeTo(rest);
    case 'group':
      return parseTypedGroup(rest);
    case 'history':
      return historyOf(rest);
    case 'connect':
      return connectTo(rest);
    default:
      throw new UsageError(`there is no /${word}${didYouMean(word, COMMAND_WORDS, '/') || ':'} /help lists what there is`);
  }
}

function writeTo(text: string): ChatCommand {
  const { word: name, rest } = firstWord(text) ?? {};
  if (name === undefined) throw new UsageError('/to takes a NAME or GROUP, and text if you like');
  return rest === '' ? { do: 'to', name } : { do: 'send', to: name, text: rest ?? '' };
}

function connectTo(text: string): ChatCommand {
  const [address = '', pin, ...more] = text.split(/\s+/u);
  if (address === '' || more.length > 0) throw new UsageError('/connect takes HOST:PORT, and the PIN of who is there if you know it');
  return { do: 'connect', address, ...(pin !== undefined && { pin }) };
}

function historyOf(text: string): ChatCommand {
  const { word: name = '', rest = '' } = firstWord(text) ?? {};
  const [count = '', ...more] = (rest || String(DEFAULT_HISTORY)).split(/\s+/u);
  if (name === '' || more.length > 0) throw new UsageError('/history takes a NAME or GROUP, and how many messages if you like');
  return { do: 'history', name, count: countOf(/^\d{1,5}$/.test(count) ? Number(count) : Number.NaN) };
}

function countOf(count: unknown): number {
  if (typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= MAX_HISTORY) return count;
  throw new UsageError(`a number of messages is from 1 to ${MAX_HISTORY}`);
}

/** Throws UsageError. */
export function parseJsonLine(line: string): ChatCommand | undefined {
  if (line.trim() === '') return undefined;
  const value = jsonObject(line);
  checkFields(value);
  const fields = new JsonFields(value);
  const { word } = fields;
  if (word === 'help') return { do: word, text: jsonHelp() };
  if (isOneOf(ALONE, word)) return { do: word };
  if (isOneOf(WITH_NAME, word)) return { do: word, name: fields.text('name') };
  if (isAccountWord(word)) return parseJsonAccount(word, fields);
  if (isQueueWord(word)) return parseJsonQueue(word, fields);
  return isMessageWord(word) ? parseJsonMessage(word, fields) : jsonWithArguments(word, fields);
}

function jsonWithArguments(word: unknown, fields: JsonFields): ChatCommand {
  switch (word) {
    case 'to':
      return { do: 'to', name: fields.text('name') };
    case 'send':
      return { do: 'send', to: fields.optional('to'), text: fields.text('text') };
    case 'confirm':
      return { do: 'confirm', name: fields.text('name'), secrets: { confirm: true } };
    case 'group':
      return parseJsonGroup(fields);
    case 'connect':
      return { do: 'connect', address: fields.text('address'), pin: fields.optional('pin') };
    case 'history':
      return { do: 'history', name: fields.text('name'), count: countOf(fields.value['count'] ?? DEFAULT_HISTORY) };
    default:
      throw new UsageError(`"do" is one of ${[...COMMAND_WORDS, 'send'].join(', ')}; {"do":"help"} tells their fields`);
  }
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
