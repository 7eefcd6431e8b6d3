import { EventEmitter } from 'node:events';
import { type Instance, render } from 'ink';
import { App } from './app.js';
import { Frames } from './frames.js';
import { type Key, KeyReader } from './keys.js';
import { Painter } from './painter.js';
import { type Palette, paletteFor } from './palette.js';
import type { TuiState } from './state.js';

/** How long the rest of a sequence that begins with Escape may take, also over a slow line. */
const ESCAPE_MS = 50;

export interface ScreenListener {
  readonly onKey: (key: Key) => void;
  readonly onResize: (columns: number, rows: number) => void;
  /** The terminal is not there any more. */
  readonly onGone: () => void;
}

/** What the user sees and types: ink lays the rows out, the painter puts them on the terminal, keys are read here. */
export class TerminalScreen {
  readonly #painter: Painter;
  readonly #frames: Frames;
  readonly #palette: Palette = paletteFor(process.env);
  readonly #reader = new KeyReader();
  #escape: NodeJS.Timeout | undefined;
  #ink: Instance | undefined;
  #state: TuiState | undefined;

  constructor(
    private readonly input: NodeJS.ReadStream,
    private readonly output: NodeJS.WriteStream,
    private readonly listener: ScreenListener,
  ) {
    this.#painter = new Painter(output);
    this.#frames = new Frames(() => this.#draw());
  }

  get size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.output.columns || 80, rows: this.output.rows || 24 };
  }

  open(): void {
    this.#painter.open();
    // Whatever ends the process: the terminal is given back.
    process.once('exit', this.#restore);
    this.input.setRawMode(true);
    this.input.setEncoding('utf8');
    this.input.on('data', this.#hear);
    this.input.on('end', this.#gone).on('error', this.#gone);
    this.output.on('resize', this.#resized).on('error', this.#gone);
  }

  show(state: TuiState): void {
    this.#state = state;
    this.#frames.request();
  }

  /** Everything anew: something else may have written on the terminal. */
  redraw(): void {
    this.#painter.forget();
    this.#frames.request();
  }

  close(): void {
    this.#frames.stop();
    clearTimeout(this.#escape);
    this.input.off('data', this.#hear);
    this.output.off('resize', this.#resized);
    this.#restore();
    process.off('exit', this.#restore);
    this.#ink?.unmount();
    this.input.pause();
  }

  readonly #gone = (): void => this.listener.onGone();

  readonly #restore = (): void => {
    this.#painter.close();
    try {
      this.input.setRawMode(false);
    } catch {
      // There is no terminal to give back.
    }
  };

  readonly #hear = (chunk: string | Buffer): void => {
    clearTimeout(this.#escape);
    for (const key of this.#reader.push(String(chunk))) this.listener.onKey(key);
    if (this.#reader.waits) this.#escape = setTimeout(() => this.#reader.flush().forEach(this.listener.onKey), ESCAPE_MS);
  };

  readonly #resized = (): void => {
    const { columns, rows } = this.size;
    this.#painter.forget();
    this.listener.onResize(columns, rows);
  };

  #draw(): void {
    if (this.#state === undefined) return;
    const app = <App state={this.#state} palette={this.#palette} />;
    if (this.#ink === undefined) this.#ink = this.#mount(app);
    else this.#ink.rerender(app);
  }

  /** `debug`: ink hands over whole frames when we ask for them, and neither throttles, nor erases lines, nor clears the scroll-back. */
  #mount(app: React.JSX.Element): Instance {
    const painter = this.#painter;
    const size = () => this.size;
    const stdout = Object.assign(new EventEmitter(), { isTTY: true, write: (frame: string) => (painter.paint(frame), true) });
    Object.defineProperties(stdout, { columns: { get: () => size().columns }, rows: { get: () => size().rows } });
    const options = { debug: true, exitOnCtrlC: false, patchConsole: false, stdin: this.input };
    return render(app, { ...options, stdout: stdout as unknown as NodeJS.WriteStream });
  }
}
