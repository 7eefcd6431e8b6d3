import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';
import { Writable } from 'node:stream';

/** Where lines come from and go to; what is being typed survives what is shown meanwhile. */
export interface Screen {
  show(lines: readonly string[]): void;
  /** Every line until the input ends. */
  lines(): AsyncIterable<string>;
  /** The next line, for a question; not while a line is waited for elsewhere. Undefined when the input has ended, or is no terminal. */
  ask(question: string, hidden: boolean): Promise<string | undefined>;
  close(): void;
}

export function openScreen(input: NodeJS.ReadStream, output: NodeJS.WriteStream, prompt: string): Screen {
  return input.isTTY && output.isTTY && prompt !== '' ? new TerminalScreen(input, output, prompt) : new PlainScreen(input, output);
}

/** Pipes and files: lines in, lines out. */
class PlainScreen implements Screen {
  readonly #reader: Interface;
  readonly #iterator: AsyncIterator<string>;

  constructor(
    input: NodeJS.ReadStream,
    private readonly output: NodeJS.WriteStream,
  ) {
    this.#reader = createInterface({ input, terminal: false });
    // The reader drops lines that come before somebody listens.
    this.#iterator = this.#reader[Symbol.asyncIterator]();
  }

  show(lines: readonly string[]): void {
    if (lines.length > 0) this.output.write(`${lines.join('\n')}\n`);
  }

  lines(): AsyncIterable<string> {
    return { [Symbol.asyncIterator]: () => this.#iterator };
  }

  ask(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  close(): void {
    this.#reader.close();
  }
}

/** Someone who types. Answers to questions are not in the line history, and hidden ones not on the screen. */
class TerminalScreen implements Screen {
  readonly #reader: Interface;
  readonly #iterator: AsyncIterator<string>;
  /** What is asked at the moment. */
  #question: { readonly text: string; readonly hidden: boolean } | undefined;

  constructor(
    input: NodeJS.ReadStream,
    private readonly output: NodeJS.WriteStream,
    private readonly prompt: string,
  ) {
    this.#reader = createInterface({ input, output: this.#echo(), prompt, terminal: true });
    this.#reader.on('history', (history: string[]) => {
      if (this.#question !== undefined) history.shift();
    });
    this.#iterator = this.#reader[Symbol.asyncIterator]();
    this.#reader.prompt();
  }

  show(lines: readonly string[]): void {
    if (lines.length === 0) return;
    cursorTo(this.output, 0);
    clearLine(this.output, 0);
    this.output.write(`${lines.join('\n')}\n`);
    if (this.#question?.hidden === true) this.output.write(this.#question.text);
    else this.#reader.prompt(true);
  }

  lines(): AsyncIterable<string> {
    const next = async () => {
      const step = await this.#iterator.next();
      if (step.done !== true) this.#reader.prompt();
      return step;
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  async ask(question: string, hidden: boolean): Promise<string | undefined> {
    cursorTo(this.output, 0);
    clearLine(this.output, 0);
    this.#question = { text: question, hidden };
    this.#reader.setPrompt(question);
    this.#reader.prompt();
    if (hidden) this.output.write(question);
    try {
      const step = await this.#iterator.next();
      if (hidden) this.output.write('\n');
      return step.done === true ? undefined : step.value;
    } finally {
      this.#question = undefined;
      this.#reader.setPrompt(this.prompt);
      this.#reader.prompt();
    }
  }

  close(): void {
    this.#reader.close();
  }

  /** What the reader draws, but for hidden answers. */
  #echo(): Writable {
    const echo = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (this.#question?.hidden !== true) this.output.write(chunk);
        done();
      },
    });
    // The reader breaks lines by the width of its output.
    Object.defineProperty(echo, 'columns', { get: () => this.output.columns });
    this.output.on('resize', () => echo.emit('resize'));
    return echo;
  }
}
