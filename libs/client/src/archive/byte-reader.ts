/** Takes pieces of any length, gives them out in the lengths that are wanted. Holds no more than one wish and one piece. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Uint8Array[] = [];
  #length = 0;
  #isDone = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Shorter only at the end. */
  async read(length: number): Promise<Uint8Array> {
    await this.#hold(length);
    const taken = new Uint8Array(Math.min(length, this.#length));
    for (let at = 0; at < taken.length;) {
      const first = this.#held.shift()!;
      const part = first.subarray(0, taken.length - at);
      taken.set(part, at);
      at += part.length;
      if (part.length < first.length) this.#held.unshift(first.subarray(part.length));
    }
    this.#length -= taken.length;
    return taken;
  }

  async atEnd(): Promise<boolean> {
    await this.#hold(1);
    return this.#length === 0;
  }

  /** Whoever gives up reading lets the source close what it has open. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #hold(length: number): Promise<void> {
    while (this.#length < length && !this.#isDone) {
      const { value, done } = (await this.#source.next()) as { value: Uint8Array | undefined; done?: boolean };
      if (done === true) this.#isDone = true;
      else if (value !== undefined && value.length > 0) {
        this.#held.push(value);
        this.#length += value.length;
      }
    }
  }
}
