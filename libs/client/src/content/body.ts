/** NestedPart (draft-ietf-mimi-content-08 §4.4): disposition, language, cardinality, and what that asks for. */
export type Part = readonly unknown[];

export interface Text {
  readonly text: string;
  readonly markdown?: boolean | undefined;
}

/** Cardinalities. */
export const SINGLE_PART = 1;
const MULTI_PART = 3;
/** Part semantics: the receiver picks one. */
const CHOOSE_ONE = 0;
const MOST_CHOICES = 16;

export const PLAIN = 'text/plain;charset=utf-8';
export const MARKDOWN = 'text/markdown;variant=GFM-MIMI';

/** The text of a part, or the first text among parts of which one is to be chosen. Throws TypeError for text that is no UTF-8. */
export function textOf(part: Part): Text | undefined {
  const [, , cardinality, type, content] = part;
  if (cardinality === SINGLE_PART) return singleText(type, content);
  if (cardinality !== MULTI_PART || type !== CHOOSE_ONE || !Array.isArray(content)) return undefined;
  for (const choice of content.slice(0, MOST_CHOICES) as unknown[]) {
    if (!Array.isArray(choice)) continue;
    const [, , chosen, chosenType, chosenContent] = choice as unknown[];
    const text = chosen === SINGLE_PART ? singleText(chosenType, chosenContent) : undefined;
    if (text !== undefined) return text;
  }
  return undefined;
}

function singleText(type: unknown, content: unknown): Text | undefined {
  if ((type !== PLAIN && type !== MARKDOWN) || !(content instanceof Uint8Array)) return undefined;
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  return type === MARKDOWN ? { text, markdown: true } : { text };
}
