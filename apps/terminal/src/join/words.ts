import { UsageError } from '../command-line/usage-error.js';

/** One word, or several in double quotes: names of groups have spaces. */
const WORD = /^(?:"([^"]+)"|([^\s"]\S*))(?:\s+|$)/u;

/** The first word and what follows it. Undefined when there is none. Throws UsageError for a quote that does not end. */
export function firstWord(text: string): { readonly word: string; readonly rest: string } | undefined {
  if (text === '') return undefined;
  const found = WORD.exec(text);
  if (found === null) throw new UsageError('a name in quotes looks like "this one"');
  return { word: found[1] ?? found[2] ?? '', rest: text.slice(found[0].length) };
}

/** Throws UsageError. */
export function wordsOf(text: string): string[] {
  const next = firstWord(text);
  return next === undefined ? [] : [next.word, ...wordsOf(next.rest)];
}
