import type { Random } from './random.js';

/** What code could take from outside by itself, instead of from its ports: all of it comes from the seed while a simulation runs. */
export function replaceOutsideWorld(now: () => number, random: Random): () => void {
  const [dateNow, mathRandom] = [Date.now.bind(Date), Math.random.bind(Math)];
  const { crypto } = globalThis;
  const getRandomValues = <T extends ArrayBufferView | null>(into: T): T => {
    if (into !== null) new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(random.bytes(into.byteLength));
    return into;
  };
  Date.now = now;
  Math.random = () => random.unit();
  Object.defineProperty(crypto, 'getRandomValues', { value: getRandomValues, configurable: true });
  return () => {
    Date.now = dateNow;
    Math.random = mathRandom;
    Reflect.deleteProperty(crypto, 'getRandomValues');
  };
}
