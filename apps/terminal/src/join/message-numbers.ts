/** Small numbers for messages of this session: ids are too long to type. */
export class MessageNumbers {
  readonly #numbers = new Map<string, number>();
  readonly #ids: string[] = [];

  numberOf(id: string): number {
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    const number = this.#ids.push(id);
    this.#numbers.set(id, number);
    return number;
  }

  /** The id behind `#3`, `3`, or an id itself. */
  idOf(text: string): string | undefined {
    const number = /^#?(\d{1,6})$/.exec(text)?.[1];
    return number === undefined ? this.#knownId(text) : this.#ids[Number(number) - 1];
  }

  #knownId(text: string): string | undefined {
    return /^[0-9a-f]{32}$/.test(text) ? text : undefined;
  }
}
