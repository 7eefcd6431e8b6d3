import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { freePort } from './free-port.js';

const FIRST_OF_OUTGOING = 32_768;
const open: Server[] = [];

/** Done when somebody listens there, whoever that is. */
async function listenOn(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1');
  open.push(server);
  await once(server, 'listening').catch(() => undefined);
}

afterEach(() => open.splice(0).forEach((server) => server.close()));

describe('a free port', () => {
  it('is given once, and never one that an outgoing connection could take', async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, freePort));
    expect(new Set(ports).size).toBe(50);
    expect(Math.max(...ports)).toBeLessThan(FIRST_OF_OUTGOING);
  });

  it('is not one on which somebody listens', async () => {
    const next = (await freePort()) + 1;
    await listenOn(next);
    expect(await freePort()).not.toBe(next);
  });
});
