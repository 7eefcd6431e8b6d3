import type { ChatEvent } from './chat-event.js';
import type { MessageNumbers } from './message-numbers.js';
import { renderEvent } from './rendering.js';
import type { Screen } from './screen.js';

/** Shows events as people or programs read them; what happens before the screen is open waits. */
export class Display {
  #screen: Screen | undefined;
  #early: ChatEvent[] = [];

  constructor(
    private readonly json: boolean,
    readonly numbers: MessageNumbers,
  ) {}

  /** Undefined until it is open. */
  get screen(): Screen | undefined {
    return this.#screen;
  }

  show(event: ChatEvent): void {
    if (this.#screen === undefined) this.#early.push(event);
    else this.#screen.show(this.json ? [JSON.stringify({ ...event, at: Date.now() })] : renderEvent(event, this.numbers, Date.now()));
  }

  /** @param first shown before everything that waits. */
  open(screen: Screen, first: readonly ChatEvent[]): void {
    this.#screen = screen;
    for (const event of [...first, ...this.#early.splice(0)]) this.show(event);
  }
}
