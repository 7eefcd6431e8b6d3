import stringWidth from 'string-width';

/** Letters and signs of one column about which no two terminals disagree, each a character of its own: Latin, Greek and Cyrillic without loose marks. */
const NARROW = /^[ -~\u00a1-\u00ac\u00ae-\u02af\u0370-\u0482\u048a-\u052f]*$/;
/** More of them than any script puts on one letter climb over the rows above. */
const MOST_MARKS = 4;
/** More than any picture or syllable is joined of. */
const MOST_PARTS = 8;
/** Zero width non-joiner: keeps letters apart that would be counted as one character. One of them at an end stays, as Persian writes it. */
const APART = '\u200c';
const REPLACEMENT = '\ufffd';
const DOTTED_CIRCLE = '\u25cc';

const CONTROL = /\p{Cc}/u;
const BREAK = /[\n\p{Zl}\p{Zp}]/u;
const MARK = /\p{M}/u;
/** Some terminals draw nothing for them, some a column, some change what stands before. U+20E3 makes keys of digits. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cs}\u20e3]/u;
const SKIN = /\p{Emoji_Modifier}/u;
const FLAG_LETTER = /\p{Regional_Indicator}/u;
const FLAG_A = 0x1f1e6;
/** Thai and Lao vowels of two marks, one of which takes a column (NFKC). */
const VOWELS: readonly (readonly [string, string])[] = [
  ['\u0e33', '\u0e4d\u0e32'],
  ['\u0eb3', '\u0ecd\u0eb2'],
];

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** What the user sees as one character each. */
export function graphemesOf(text: string): string[] {
  return text.length === 1 || NARROW.test(text) ? [...text] : Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/**
 * The text as it goes to the terminal. About the width of joined emoji, flags, invisible characters and heaps of marks each terminal has an opinion
 * of its own: with such a text somebody could draw where others are read. What is joined is drawn part by part, and what is invisible not at all, so that
 * a text is as wide as its characters (wcwidth) are together, whoever counts.
 */
export function drawn(text: string): string {
  return NARROW.test(text)
    ? text
    : graphemesOf(text)
        .map((grapheme) => drawingOf(grapheme).text)
        .join('');
}

/** How many columns a text takes as it is drawn. */
export function cellsOf(text: string): number {
  return NARROW.test(text) ? text.length : graphemesOf(text).reduce((cells, grapheme) => cells + drawingOf(grapheme).cells, 0);
}

interface Drawing {
  readonly text: string;
  readonly cells: number;
}

/** Texts have few characters, many times. */
const known = new Map<string, Drawing>();
const MOST_KNOWN = 4_096;

function drawingOf(grapheme: string): Drawing {
  const before = known.get(grapheme);
  if (before !== undefined) return before;
  const text = drawnGrapheme(grapheme);
  const drawing = { text, cells: stringWidth(text) };
  if (known.size >= MOST_KNOWN) known.clear();
  if (grapheme.length <= MOST_PARTS) known.set(grapheme, drawing);
  return drawing;
}

function drawnGrapheme(grapheme: string): string {
  const parts = partsOf(grapheme);
  const few = parts.length > MOST_PARTS ? [...parts.slice(0, MOST_PARTS), '…'] : parts;
  const whole = [few.join(''), few.join(APART)].find(isAsWideAsItsCharacters) ?? REPLACEMENT;
  return whole !== '' && grapheme.endsWith(APART) ? whole + APART : whole;
}

function isAsWideAsItsCharacters(text: string): boolean {
  return stringWidth(text) === [...text].reduce((cells, char) => cells + stringWidth(char), 0);
}

/** Letters with their marks, and emoji one by one. */
function partsOf(grapheme: string): string[] {
  const parts: string[] = [];
  let marks = 0;
  const whole = VOWELS.reduce((text, [vowel, pieces]) => text.replaceAll(vowel, pieces), grapheme.normalize());
  for (const char of whole) {
    if (UNSEEN.test(char) || (SKIN.test(char) && parts.length > 0)) continue;
    if (!MARK.test(char)) {
      parts.push(drawnCharacter(char));
      marks = 0;
    } else if (++marks <= MOST_MARKS) parts.push(`${parts.pop() ?? DOTTED_CIRCLE}${char}`);
  }
  return parts;
}

function drawnCharacter(char: string): string {
  if (FLAG_LETTER.test(char)) return String.fromCharCode(65 + (char.codePointAt(0) ?? FLAG_A) - FLAG_A);
  if (char === '\t') return '  ';
  if (BREAK.test(char)) return ' ';
  return CONTROL.test(char) ? REPLACEMENT : char;
}
