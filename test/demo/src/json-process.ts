import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

/** The command as it is installed: bundled, which also starts sooner. */
const SOTTO = fileURLToPath(new URL('../../../apps/terminal/bin/sotto.js', import.meta.url));

/** With all that a server needs: as packages that is 800 files (docs/decisions/tests-run-bundled-servers.md). */
const SOTTO_HOST = fileURLToPath(new URL('../../harness/dist/servers/sotto.js', import.meta.url));

const isHost = ([command]: readonly string[]) => command === 'host';
/** A server's database is WebAssembly, and to optimise it takes more than a test has for it to do. */
const nodeArgumentsOf = (args: readonly string[]) => (isHost(args) ? ['--liftoff-only'] : []);

/** What `sotto … --json` prints; the fields depend on `event`. */
export type Heard = Readonly<Record<string, unknown>> & { readonly event: string };

interface Waiter {
  readonly matches: (heard: Heard) => boolean;
  readonly resolve: (heard: Heard) => void;
}

/** A `sotto` command as a process of its own, spoken to by JSON lines. */
export class JsonProcess {
  readonly heard: Heard[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #waiters: Waiter[] = [];
  #complaints = '';

  constructor(
    readonly name: string,
    args: readonly string[],
    /** As built here, or as somebody installed it. */
    program = isHost(args) ? SOTTO_HOST : SOTTO,
  ) {
    this.#child = spawn(process.execPath, [...nodeArgumentsOf(args), program, ...args, '--json'], { stdio: ['pipe', 'pipe', 'pipe'] });
    const lines = createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#hear(JSON.parse(line) as Heard));
    // Not before its last line was read: what it said may still be on its way when it is gone.
    this.#exited = Promise.all([once(this.#child, 'exit'), once(lines, 'close')]);
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.#complaints += chunk.toString()));
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  say(command: Readonly<Record<string, unknown>>): void {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`);
  }

  /** The first such event after the first `from` that were heard. */
  async hears(event: string, fields: Readonly<Record<string, unknown>> = {}, seconds = 30, from = 0): Promise<Heard> {
    const matches = (heard: Heard) =>
      heard.event === event && Object.entries(fields).every(([key, value]) => isDeepStrictEqual(heard[key], value));
    const before = this.heard.slice(from).find(matches);
    if (before !== undefined) return before;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const wanted = `${event} ${JSON.stringify(fields)}`;
      timer = setTimeout(
        () => reject(new Error(`${this.name} did not hear ${wanted} within ${seconds} s. ${this.#story()}`)),
        seconds * 1_000,
      );
      void this.#exited.then(() => reject(new Error(`${this.name} ended before it heard ${wanted}. ${this.#story()}`)));
    });
    try {
      return await Promise.race([new Promise<Heard>((resolve) => this.#waiters.push({ matches, resolve })), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What comes as the answer to a command: the first such event from here on. */
  ask(command: Readonly<Record<string, unknown>>, event: string, fields: Readonly<Record<string, unknown>> = {}): Promise<Heard> {
    const from = this.heard.length;
    this.say(command);
    return this.hears(event, fields, 30, from);
  }

  /** Ends it gently; throws when it did not end well. */
  async ends(by: Readonly<Record<string, unknown>> | NodeJS.Signals): Promise<void> {
    if (typeof by === 'string') this.#child.kill(by);
    else this.say(by);
    await this.#exited;
    if (this.#child.exitCode !== 0)
      throw new Error(`${this.name} ended with ${this.#child.exitCode ?? this.#child.signalCode}. ${this.#story()}`);
  }

  /** Without a chance to do anything more. */
  async dies(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** What it has complained of so far. */
  get complaints(): string {
    return this.#complaints;
  }

  /** Ends by itself, with a complaint. Returns the exit code and what it said. */
  async fails(): Promise<{ readonly code: number | null; readonly complaints: string }> {
    await this.#exited;
    return { code: this.#child.exitCode, complaints: this.#complaints };
  }

  #hear(heard: Heard): void {
    this.heard.push(heard);
    for (const waiter of this.#waiters) if (waiter.matches(heard)) waiter.resolve(heard);
    this.#waiters = this.#waiters.filter(({ matches }) => !matches(heard));
  }

  #story(): string {
    const last = this.heard.slice(-5).map((heard) => JSON.stringify(heard));
    return [`Heard last: ${last.join(' ')}`, this.#complaints.trim()].filter((part) => part !== '').join('\n');
  }
}
