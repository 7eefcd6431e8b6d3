import { keyOf, type Place, type PlaceKey } from './state.js';
import type { TuiEvent } from './update.js';

/** Longer than the pause between two notices of somebody who goes on typing. */
const TYPING_MS = 7_000;

/** Who is typing where: nobody says that they have stopped. */
export class TypingWatch {
  readonly #timers = new Map<PlaceKey, Map<string, NodeJS.Timeout>>();

  constructor(private readonly dispatch: (event: TuiEvent) => void) {}

  hear(place: Place, who: string): void {
    const timers = this.#timers.get(keyOf(place)) ?? new Map<string, NodeJS.Timeout>();
    this.#timers.set(keyOf(place), timers);
    clearTimeout(timers.get(who));
    timers.set(
      who,
      setTimeout(() => this.done(place, who), TYPING_MS),
    );
    this.#tell(place, timers);
  }

  /** What was being typed is here, or nothing came of it. */
  done(place: Place, who: string): void {
    const timers = this.#timers.get(keyOf(place));
    clearTimeout(timers?.get(who));
    if (timers?.delete(who) !== true) return;
    if (timers.size === 0) this.#timers.delete(keyOf(place));
    this.#tell(place, timers);
  }

  stop(): void {
    for (const timers of this.#timers.values()) for (const timer of timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #tell({ home, conversation }: Place, timers: ReadonlyMap<string, unknown>): void {
    this.dispatch({ type: 'typing', home, conversation, who: [...timers.keys()] });
  }
}
