import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';

/** Where lines come from and go to; what is being typed survives what is shown meanwhile. */
export interface Screen {
  show(lines: readonly string[]): void;
  /** Every line until the input ends. */
  lines(): AsyncIterable<string>;
  close(): void;
}

export function openScreen(input: NodeJS.ReadStream, output: NodeJS.WriteStream, prompt: string): Screen {
  const interactive = input.isTTY && output.isTTY && prompt !== '';
  const reader = createInterface({ input, output: interactive ? output : undefined, prompt, terminal: interactive });
  // The reader drops lines that come before somebody listens.
  const iterator = reader[Symbol.asyncIterator]();
  if (interactive) reader.prompt();
  return {
    show: (lines) => show(lines, output, interactive ? reader : undefined),
    lines: () => ({
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          const step = await iterator.next();
          if (interactive && step.done !== true) reader.prompt();
          return step;
        },
      }),
    }),
    close: () => reader.close(),
  };
}

function show(lines: readonly string[], output: NodeJS.WriteStream, reader: Interface | undefined): void {
  if (lines.length === 0) return;
  if (reader !== undefined) {
    cursorTo(output, 0);
    clearLine(output, 0);
  }
  output.write(`${lines.join('\n')}\n`);
  reader?.prompt(true);
}
