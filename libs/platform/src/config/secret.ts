import { inspect } from 'node:util';
import * as z from 'zod';

const REDACTED = '[secret]';

/** A value that no log, error, template or JSON shows. `reveal` is the one way to it. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

/** Schema of a variable whose value must not print. */
export function secret(text = z.string()) {
  return text.transform((value) => new Secret(value));
}
