import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below those that systems give to outgoing connections: what is free here stays free until it is listened on. */
const FIRST = 12_000;
const COUNT = 20_000;
/** Processes that ask at the same time begin far from each other. */
let next = randomInt(COUNT);

/** A loopback TCP port on which nobody listens, and which whoever asks this module is not given again. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < COUNT; tried++) {
    const port = FIRST + (next++ % COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error('no loopback port is free');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
