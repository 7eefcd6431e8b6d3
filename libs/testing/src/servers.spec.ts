import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

  it('ends those that still run, and no others, when the process that started them is killed', async () => {
    const script = `
      const { startRedis } = await import(${JSON.stringify(import.meta.resolve('@sotto/testing'))});
      const [stopped, ...left] = await Promise.all([startRedis(), startRedis(), startRedis()]);
      await stopped.stop();
      console.log(JSON.stringify(left.map(({ port, folder }) => ({ port, folder }))));
      setInterval(() => undefined, 1_000);`;
    const starter = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const other = await startRedis();
    running.push(other);
    const [line] = (await once(starter.stdout, 'data')) as [Buffer];
    const left = JSON.parse(line.toString()) as { port: number; folder: string }[];
    const areThere = () => left.filter(({ folder }) => existsSync(folder));
    expect(areThere()).toEqual(left);
    starter.kill('SIGKILL');
    while (areThere().length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
    for (const { port } of left) expect(await answers(port, 'PING\r\n', /^\+PONG/)).toBe(false);
    expect(await answers(other.port, 'PING\r\n', /^\+PONG/)).toBe(true);
  }, 60_000);

  it('lets nobody into a redis that has a password without it', async () => {
    const server = await startRedis({ password: 'correct horse' });
    running.push(server);
    expect(await answers(server.port, 'GET x\r\n', /^-NOAUTH/)).toBe(true);
  });
});
