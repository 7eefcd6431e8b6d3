import { UsageError } from '../command-line/usage-error.js';
import type { JsonFields, Secrets } from './json-fields.js';
import { atMostOneWord, oneWord, standsAlone } from './words.js';

/** What concerns the account and its devices. Secrets are absent in a typed line, and asked for without echo. */
export type AccountCommand =
  | { readonly do: 'devices' }
  | { readonly do: 'login' | 'password' | 'reset-key' | 'delete-account'; readonly secrets: Secrets }
  /** Without a code: takes up what a device asks, or asks. Without a device: the one that shows the code, or the only one. */
  | { readonly do: 'approve'; readonly device?: string | undefined; readonly code?: string | undefined }
  | { readonly do: 'deny'; readonly device?: string | undefined }
  /** `confirm`: this device, too. */
  | { readonly do: 'revoke'; readonly device: string; readonly confirm?: boolean | undefined }
  | { readonly do: 'recovery'; readonly file: string; readonly secrets: Secrets }
  | { readonly do: 'invite'; readonly name?: string | undefined }
  | { readonly do: 'invisible'; readonly on: boolean }
  | PanicOrder;

/** Destroys what this device has. */
export interface PanicOrder {
  readonly do: 'panic';
  /** At the server, too. */
  readonly everywhere: boolean;
  /** Whose it is; absent: it is asked for. */
  readonly name?: string | undefined;
}

export const ACCOUNT_WORDS = [
  'devices',
  'login',
  'password',
  'reset-key',
  'delete-account',
  'approve',
  'deny',
  'revoke',
  'recovery',
  'invite',
  'invisible',
  'panic',
] as const;
type AccountWord = (typeof ACCOUNT_WORDS)[number];

export const isAccountWord = (word: unknown): word is AccountWord => (ACCOUNT_WORDS as readonly unknown[]).includes(word);

/** Eight digits, with what people put between them. */
const CODE = /^\d{4}[\s-]?\d{4}$/;
/** They ask for what they need: a password in a line would stay on the screen and in the line history. */
const ASKS = 'what it needs, it asks for';

/** What follows the word. Throws UsageError. */
export function parseTypedAccount(word: AccountWord, rest: string): AccountCommand {
  switch (word) {
    case 'devices':
      return { do: standsAlone(word, rest) };
    case 'login':
    case 'password':
    case 'reset-key':
    case 'delete-account':
      return { do: standsAlone(word, rest, ASKS), secrets: {} };
    case 'revoke':
      return { do: word, device: oneWord(word, 'DEVICE', rest) };
    case 'recovery':
      if (rest === '') throw new UsageError('/recovery takes a FILE to write');
      return { do: word, file: rest, secrets: {} };
    case 'approve':
      return CODE.test(rest) ? { do: word, code: rest } : { do: word, device: atMostOneWord(word, 'CODE', rest) };
    case 'deny':
      return { do: word, device: atMostOneWord(word, 'DEVICE', rest) };
    case 'invite':
      return { do: word, name: atMostOneWord(word, 'NAME', rest) };
    case 'invisible':
      if (rest !== 'on' && rest !== 'off') throw new UsageError('/invisible takes on or off');
      return { do: word, on: rest === 'on' };
    case 'panic':
      if (rest !== '' && rest !== 'everywhere') throw new UsageError('/panic stands alone, or is /panic everywhere');
      return { do: word, everywhere: rest === 'everywhere' };
  }
}

/** Throws UsageError. */
export function parseJsonAccount(word: AccountWord, fields: JsonFields): AccountCommand {
  switch (word) {
    case 'devices':
      return { do: word };
    case 'login':
    case 'password':
    case 'reset-key':
    case 'delete-account':
      return { do: word, secrets: fields.secrets() };
    case 'revoke':
      return { do: word, device: fields.text('device'), confirm: fields.secrets().confirm };
    case 'recovery':
      return { do: word, file: fields.text('file'), secrets: fields.secrets() };
    case 'approve':
      return { do: word, device: fields.optional('device'), code: fields.optional('code') };
    case 'deny':
      return { do: word, device: fields.optional('device') };
    case 'invite':
      return { do: word, name: fields.optional('name') };
    case 'invisible':
      return { do: word, on: fields.flag('on') };
    case 'panic':
      return { do: word, everywhere: fields.flag('everywhere', false), name: fields.text('name') };
  }
}
