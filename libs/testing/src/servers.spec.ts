import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type RunningServer, startNats, startPostgres, startRedis } from './index.js';
import { answers } from './server-process.js';

describe('real servers for tests', () => {
  const running: RunningServer[] = [];

  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()));
  });

  it.each([
    ['nats', startNats, '', /^INFO /],
    ['redis', startRedis, 'PING\r\n', /^\+PONG/],
    ['postgres', startPostgres, '\0\0\0\x08\x04\xd2\x16\x2f', /^N/],
  ] as const)(
    'starts %s, kills it, brings it back on the same port and leaves nothing behind',
    async (_name, start, greeting, expected) => {
      const server = await start();
      running.push(server);
      const first = server.pid;
      await server.kill();
      expect(await answers(server.port, greeting, expected)).toBe(false);
      await server.restart();
      expect(server.pid).not.toBe(first);
      await server.stop();
      expect(existsSync(server.folder)).toBe(false);
    },
    60_000,
  );

  it('lets nobody into a redis that has a password without it', async () => {
    const server = await startRedis({ password: 'correct horse' });
    running.push(server);
    expect(await answers(server.port, 'GET x\r\n', /^-NOAUTH/)).toBe(true);
  });
});
