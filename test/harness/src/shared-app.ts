import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RunningServer } from '@sotto/testing';
import { isReady, type NodeCommand, READY_WITHIN_MS } from './node-process.js';

const PROGRAM = fileURLToPath(new URL('./servers/shared-process.js', import.meta.url));
const ASK_EVERY_MS = 50;

/** Of `npm test`, whose socket `run` in it is open for as long as it lasts; undefined where suites run without it. */
export function runFolder(): string | undefined {
  return process.env['SOTTO_TEST_RUN'];
}

/**
 * An instance of an app in the process of that name, which is started by who comes first and lasts as long as the run. Nobody may kill it, for it is
 * others' too. The instance ends with this process at the latest.
 */
export async function runShared(command: NodeCommand, processName: string, run: string): Promise<RunningServer> {
  const connection = await connectionTo(command, processName, run);
  connection.write(`${JSON.stringify(command.environment)}\n`);
  const lines = createInterface({ input: connection });
  const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close').then(() => ['{"error":"its process ended"}'])])) as [
    string,
  ];
  const { error } = JSON.parse(line) as { error?: string };
  if (error !== undefined) throw new Error(`${command.name} did not start: ${error}`);
  while (!(await isReady(command))) await sleep(ASK_EVERY_MS);
  connection.unref();
  return new SharedApp(command, connection, run);
}

async function connectionTo(command: NodeCommand, processName: string, run: string): Promise<Socket> {
  const door = join(run, `${processName}.socket`);
  const deadline = Date.now() + READY_WITHIN_MS;
  for (let asked = 0; Date.now() < deadline; asked++) {
    const connection = connect(door);
    if (await isOpen(connection)) return connection;
    if (asked === 0) startProcess(command, processName, { door, run });
    await sleep(ASK_EVERY_MS);
  }
  throw new Error(`the process of ${processName} did not start`);
}

function isOpen(connection: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    connection.once('connect', () => resolve(true));
    connection.on('error', () => resolve(false));
  });
}

/** It outlives this process: the next suites may run in another. */
function startProcess(command: NodeCommand, processName: string, { door, run }: { door: string; run: string }): void {
  const log = openSync(join(run, `${processName}.log`), 'a');
  const args = [...command.nodeArguments, PROGRAM, command.name, door, join(run, 'run')];
  spawn(process.execPath, args, {
    cwd: run,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', log, log],
    detached: true,
  })
    .on('error', () => undefined)
    .unref();
  closeSync(log);
}

class SharedApp implements RunningServer {
  constructor(
    private readonly command: NodeCommand,
    private readonly connection: Socket,
    readonly folder: string,
  ) {}

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return this.command.port;
  }

  get pid(): number {
    throw new Error('a shared process is not one suite’s to look at');
  }

  kill(): Promise<void> {
    return Promise.reject(new Error('a shared process is not one suite’s to kill'));
  }

  restart(): Promise<void> {
    return this.kill();
  }

  async stop(): Promise<void> {
    if (this.connection.destroyed) return;
    this.connection.ref().end();
    await once(this.connection, 'close');
  }
}
