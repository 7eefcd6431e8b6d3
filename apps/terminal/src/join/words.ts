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

/** Throws UsageError when something follows the word. @param why what the user may have meant to write there */
export function standsAlone<Word extends string>(word: Word, rest: string, why?: string): Word {
  if (rest !== '') throw new UsageError(`/${word} stands alone${why === undefined ? '' : `: ${why}`}`);
  return word;
}

/** Throws UsageError. */
export function oneWord(word: string, what: string, rest: string): string {
  if (rest === '' || /\s/u.test(rest)) throw new UsageError(`/${word} takes one ${what}`);
  return rest;
}

/** Throws UsageError. */
export function atMostOneWord(word: string, what: string, rest: string): string | undefined {
  return rest === '' ? undefined : oneWord(word, `${what}, or none`, rest);
}
