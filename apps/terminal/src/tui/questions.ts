import type { Questioner } from '../join/asker.js';
import { EMPTY } from './editor.js';
import type { TuiEvent } from './update.js';

/** Questions to the user, in the order in which they come up; each is answered or given up. */
export class Questions implements Questioner {
  readonly #open = new Map<number, (text: string) => void>();
  #last = 0;

  constructor(private readonly dispatch: (event: TuiEvent) => void) {}

  /** Empty when the user gives up. */
  ask(text: string, hidden: boolean): Promise<string> {
    const id = ++this.#last;
    return new Promise((resolve) => {
      this.#open.set(id, resolve);
      this.dispatch({ type: 'question', question: { id, text, hidden, answer: EMPTY } });
    });
  }

  answer(id: number, text: string | undefined): void {
    this.#open.get(id)?.(text ?? '');
    this.#open.delete(id);
  }

  giveUp(): void {
    for (const id of [...this.#open.keys()]) this.answer(id, undefined);
  }
}
