import { afterEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { temporaryFolder } from '@sotto/testing';
import { until } from './people.js';

const HARNESS = new URL('../harness/dist/index.js', import.meta.url).href;

const RUN = `
  require('node:net').createServer().listen(process.argv[1], () => console.log('runs'));`;

const SUITE = `
  const { startServer } = await import(${JSON.stringify(HARNESS)});
  const server = await startServer('standalone');
  console.log(JSON.stringify({ url: server.url, refusal: await server.kill('standalone').catch(({ message }) => message) }));
  setInterval(() => undefined, 1_000);`;

describe('a server in a process that suites share', () => {
  const started: ChildProcess[] = [];
  let folder: string;

  afterEach(async () => {
    for (const one of started) one.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  async function runs(args: readonly string[]): Promise<{ process: ChildProcess; says: string }> {
    const env = { ...process.env, SOTTO_TEST_RUN: folder, JEST_WORKER_ID: '1' };
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
    started.push(child);
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    return { process: child, says: said.toString() };
  }

  const isOpen = (address: { path: string } | { host: string; port: number }) =>
    new Promise<boolean>((resolve) => {
      const socket = connect(address, () => resolve(socket.destroy() !== undefined));
      socket.on('error', () => resolve(false));
    });

  it('is nobody’s to kill, ends with its suite, and its process with the run, though both are killed', async () => {
    folder = await temporaryFolder('shared');
    const run = await runs(['-e', RUN, join(folder, 'run')]);
    const suite = await runs(['--input-type=module', '-e', SUITE]);
    const { url, refusal } = JSON.parse(suite.says) as { url: string; refusal: string };
    expect(refusal).toMatch(/shared/);
    const { hostname, port } = new URL(url);
    const server = { host: hostname, port: Number(port) };
    const shared = { path: join(folder, 'standalone-1.socket') };
    expect([await isOpen(server), await isOpen(shared)]).toEqual([true, true]);
    suite.process.kill('SIGKILL');
    await until('the server is gone', async () => !(await isOpen(server)));
    expect(await isOpen(shared)).toBe(true);
    run.process.kill('SIGKILL');
    await until('its process is gone', async () => !(await isOpen(shared)));
  }, 120_000);
});
