import { parseArgs } from 'node:util';
import { didYouMean } from './suggestion.js';
import { UsageError } from './usage-error.js';

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

export interface ParsedOptions {
  readonly text: (name: string) => string | undefined;
  readonly flag: (name: string) => boolean;
  readonly positionals: readonly string[];
}

/** node:util's parser, with our own words for what is wrong. Each option at most once. */
export function parseOptions(command: string, args: readonly string[], specs: OptionSpecs): ParsedOptions {
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: { ...specs },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string | true>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    checkToken(command, token, specs);
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

function checkToken(command: string, token: { name: string; rawName: string; value?: string | undefined }, specs: OptionSpecs): void {
  const spec = specs[token.name];
  if (spec === undefined) {
    const hint = token.name.length > 1 ? didYouMean(token.name, Object.keys(specs), '--') : '';
    throw new UsageError(`sotto ${command} has no option ${token.rawName}${hint}`);
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
