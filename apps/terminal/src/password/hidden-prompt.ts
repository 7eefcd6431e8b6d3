import type { ReadStream } from 'node:tty';
import { UsageError } from '../command-line/usage-error.js';

export interface Terminal {
  readonly input: NodeJS.ReadStream | ReadStream;
  readonly output: NodeJS.WritableStream;
}

const ENTER = /[\r\n]/;

/** Asks on the terminal; what is typed is not shown. Ctrl-C gives up. */
export function askHidden({ input, output }: Terminal, question: string): Promise<string> {
  // Before the question: whoever answers at once must not be echoed.
  input.setRawMode(true);
  input.resume();
  output.write(question);
  return new Promise<string>((resolve, reject) => {
    let typed = '';
    const end = (settle: () => void): void => {
      input.off('data', hear);
      input.setRawMode(false);
      input.pause();
      output.write('\n');
      settle();
    };
    const hear = (chunk: Buffer | string): void => {
      for (const key of String(chunk)) {
        if (ENTER.test(key)) return end(() => resolve(typed));
        if (key === '\u0003' || key === '\u0004') return end(() => reject(new UsageError('given up')));
        typed = edited(typed, key);
      }
    };
    input.on('data', hear);
  });
}

function edited(typed: string, key: string): string {
  if (key === '\u007f' || key === '\b') return [...typed].slice(0, -1).join('');
  if (key === '\u0015') return '';
  return key < ' ' ? typed : typed + key;
}

/** A question that yes or no answers; no when there is nobody to ask. */
export async function confirm({ input, output }: Terminal, question: string): Promise<boolean> {
  if (!input.isTTY) return false;
  const { createInterface } = await import('node:readline/promises');
  const reader = createInterface({ input, output });
  try {
    return /^y(es)?$/i.test((await reader.question(`${question} [y/N] `)).trim());
  } finally {
    reader.close();
  }
}
