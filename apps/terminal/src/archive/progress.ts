/** Messages between two lines for programs. */
const EVENT_EVERY = 1_000;
const LINE_EVERY_MS = 200;

/** Tells how far a long work is: people on a terminal, programs as events; nobody else. */
export class Progress {
  #shownAt = 0;
  #isShown = false;

  constructor(
    private readonly what: 'export' | 'import',
    private readonly json: boolean,
  ) {}

  tell(done: number, all?: number): void {
    if (this.json && done % EVENT_EVERY === 0)
      process.stdout.write(
        `${JSON.stringify({ event: 'progress', what: this.what, done, ...(all !== undefined && { all }), at: Date.now() })}\n`,
      );
    if (this.json || !process.stderr.isTTY || Date.now() - this.#shownAt < LINE_EVERY_MS) return;
    this.#shownAt = Date.now();
    this.#isShown = true;
    process.stderr.write(`\r${done}${all === undefined ? '' : ` of ${all}`} messages`);
  }

  end(): void {
    if (this.#isShown) process.stderr.write('\r\u001b[K');
  }
}
