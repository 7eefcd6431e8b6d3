/** At most so often is the screen drawn, however much happens. */
const FRAME_MS = 33;

/** Draws soon after something changed: at once after a pause, else when the last frame is old enough. Nobody waits for it. */
export class Frames {
  #timer: NodeJS.Timeout | undefined;
  #lastAt = -FRAME_MS;
  #stopped = false;

  constructor(private readonly draw: () => void) {}

  request(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    const wait = Math.max(0, this.#lastAt + FRAME_MS - performance.now());
    this.#timer = setTimeout(() => this.now(), wait);
  }

  now(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#stopped) return;
    this.draw();
    this.#lastAt = performance.now();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
