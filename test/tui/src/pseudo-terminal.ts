import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
// A pseudo-terminal whose binary is on the registry: node-pty itself compiles at install, and we run no install scripts. No tmux: a fresh machine may lack it.
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';

/** The command as it is installed: bundled, which also starts sooner. */
const SOTTO = fileURLToPath(new URL('../../../apps/terminal/bin/sotto.js', import.meta.url));
const LOOK_AGAIN_MS = 20;
const QUIET_MS = 500;

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export const SMALL: TerminalSize = { columns: 80, rows: 24 };
export const LARGE: TerminalSize = { columns: 200, rows: 50 };

/** Keys as a terminal sends them. */
export const KEYS = {
  enter: '\r',
  escape: '\u001b',
  next: '\u000e',
  previous: '\u0010',
  up: '\u001b[A',
  down: '\u001b[B',
  pageUp: '\u001b[5~',
  pageDown: '\u001b[6~',
  newline: '\u001b\r',
  interrupt: '\u0003',
  list: '\u0002',
  home: '\u0001',
} as const;

/** As terminals mark what is pasted; its lines end with carriage returns. */
export function pasted(text: string): string {
  return `\u001b[200~${text.replaceAll('\n', '\r')}\u001b[201~`;
}

/** A `sotto` command in a real pseudo-terminal, with a terminal emulator that knows what its user would see. */
export class PseudoTerminal {
  /** All that was written to the terminal. */
  raw = '';
  /** From the start of the process to the first row of the screen. Milliseconds. */
  firstFrameMs: number | undefined;
  exitCode: number | undefined;
  readonly #pty: IPty;
  readonly #screen: xterm.Terminal;
  readonly #exited: Promise<number>;

  constructor(
    readonly name: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    { columns, rows }: TerminalSize = SMALL,
  ) {
    const started = performance.now();
    this.#screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 0 });
    this.#pty = spawn(process.execPath, [SOTTO, ...args], { name: env['TERM'] ?? 'xterm-256color', cols: columns, rows, env });
    this.#pty.onData((data) => {
      this.raw += data;
      if (data.includes('─')) this.firstFrameMs ??= performance.now() - started;
      this.#screen.write(data);
    });
    // Not before the screen shows its last words: the emulator reads what it is given a moment later.
    this.#exited = new Promise((resolve) =>
      this.#pty.onExit(({ exitCode, signal = 0 }) =>
        this.#screen.write('', () => resolve((this.exitCode = signal === 0 ? exitCode : 128 + signal))),
      ),
    );
  }

  /** Row by row, as it is seen now. */
  get rows(): string[] {
    const buffer = this.#screen.buffer.active;
    return Array.from({ length: this.#screen.rows }, (_, y) => buffer.getLine(y)?.translateToString(true) ?? '');
  }

  get text(): string {
    return this.rows.join('\n');
  }

  /** Rows with their colours, for pictures. */
  get screen(): xterm.Terminal {
    return this.#screen;
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  resize({ columns, rows }: TerminalSize): void {
    this.#screen.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** As when its window is closed. */
  hangsUp(): void {
    this.isTold('SIGHUP');
  }

  isTold(signal: NodeJS.Signals): void {
    this.#pty.kill(signal);
  }

  /** Waits until the screen shows it. */
  async shows(wanted: RegExp | string, seconds = 30): Promise<void> {
    const isThere = () => (typeof wanted === 'string' ? this.text.includes(wanted) : wanted.test(this.text));
    const until = performance.now() + seconds * 1_000;
    while (!isThere()) {
      if (this.exitCode !== undefined)
        throw new Error(`${this.name} ended with ${this.exitCode} before it showed ${wanted}\n${this.raw.slice(-2_000)}`);
      if (performance.now() > until) throw new Error(`${this.name} did not show ${wanted} within ${seconds} s:\n${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }

  /** Milliseconds of processor time that the program has taken until now. Linux alone tells. */
  async processorMs(): Promise<number> {
    // proc_pid_stat(5): behind the name in brackets, utime and stime are the 12th and 13th field, in hundredths of a second.
    const fields = (await readFile(`/proc/${this.#pty.pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12]));
  }

  /** Waits until nothing is drawn any more. */
  async rests(): Promise<void> {
    for (let before = -1; before !== this.raw.length;) {
      before = this.raw.length;
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    }
  }

  /** Its exit code, of one that a signal has ended 128 more than that, as shells have it; it is ended by force when it does not end by itself. */
  async ends(seconds = 20): Promise<number> {
    const timer = setTimeout(() => this.#pty.kill('SIGKILL'), seconds * 1_000);
    try {
      return await this.#exited;
    } finally {
      clearTimeout(timer);
      this.#screen.dispose();
    }
  }

  /** Empties the input and leaves. */
  async leaves(): Promise<number> {
    for (let tries = 0; this.exitCode === undefined && tries < 4; tries++) {
      this.type(KEYS.interrupt);
      await Promise.race([this.#exited, new Promise((resolve) => setTimeout(resolve, 500))]);
    }
    return this.ends();
  }
}
