/** A readable history: who did what when. */
export class Trace {
  readonly lines: string[] = [];
  readonly #start: number;

  constructor(
    readonly enabled: boolean,
    private readonly now: () => number,
  ) {
    this.#start = now();
  }

  /** `text` as a function: what takes work to describe is described only for those who read it. */
  note(who: string, text: string | (() => string)): void {
    if (!this.enabled) return;
    const seconds = ((this.now() - this.#start) / 1_000).toFixed(3);
    this.lines.push(`${seconds.padStart(11)}  ${who.padEnd(8)} ${typeof text === 'string' ? text : text()}`);
  }
}
