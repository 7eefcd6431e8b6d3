import { parseArgs } from 'node:util';
import { didYouMean } from './suggestion.js';
import { UsageError } from './usage-error.js';

/** What a shell can complete in place of a value or a word. */
export type Completes = 'file' | 'folder' | readonly string[];

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string | undefined;
  /** What stands for the value in the help. */
  readonly value?: string;
  /** What the help says, line by line; a default stands behind it in brackets. */
  readonly about: string;
  readonly completes?: Completes | undefined;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

export interface ParsedOptions {
  readonly text: (name: string) => string | undefined;
  readonly flag: (name: string) => boolean;
  readonly positionals: readonly string[];
}

/** A command as it is read, completed and explained. */
export interface CommandSpec<Parsed> {
  /** Its line in `sotto help`. */
  readonly summary: string;
  /** How it is called, line by line. */
  readonly usage: string;
  readonly options: OptionSpecs;
  /** The word behind it, where a shell can complete it. */
  readonly completes?: Completes;
  /** What the help says below the options. */
  readonly about: string;
  /** Throws UsageError. */
  parse(options: ParsedOptions): Parsed;
}

/** `--port PORT`, or `-p PORT`. */
export function valued(value: string, about: string, more: { readonly short?: string; readonly completes?: Completes } = {}): OptionSpec {
  return { type: 'string', value, about, ...more };
}

/** `--json`. */
export function flag(about: string, short?: string): OptionSpec {
  return { type: 'boolean', about, short };
}

/** node:util's parser, with our own words for what is wrong. Each option at most once. @param called `sotto host` */
export function parseOptions(called: string, args: readonly string[], specs: OptionSpecs): ParsedOptions {
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(specs).map(([name, { type, short }]) => [name, { type, ...(short !== undefined && { short }) }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string | true>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    checkToken(called, token, specs);
    if (values.has(token.name)) throw new UsageError(`${token.rawName} is given twice`);
    values.set(token.name, token.value ?? true);
  }
  return {
    text: (name) => {
      const value = values.get(name);
      return value === true ? undefined : value;
    },
    flag: (name) => values.has(name),
    positionals,
  };
}

function checkToken(called: string, token: { name: string; rawName: string; value?: string | undefined }, specs: OptionSpecs): void {
  const spec = specs[token.name];
  if (spec === undefined) {
    const hint = token.name.length > 1 ? didYouMean(token.name, Object.keys(specs), '--') : '';
    throw new UsageError(`${called} has no option ${token.rawName}${hint}`);
  }
  if (spec.type === 'string' && (token.value === undefined || token.value === '')) throw new UsageError(`${token.rawName} needs a value`);
  if (spec.type === 'boolean' && token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
}

/** A whole decimal number within its bounds. */
export function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new UsageError(`${option} is a whole number from ${min} to ${max}, not "${text}"`);
  return value;
}

/** More words than a command takes are a mistake somewhere. */
export function noMore({ positionals }: ParsedOptions, allowed: number): void {
  const extra = positionals[allowed];
  if (extra !== undefined) throw new UsageError(`"${extra}" is one word too many`);
}
