import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { unwatch, watch } from './guard.js';

/** A real server on a loopback port, in a folder of its own that goes when it is stopped. */
export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** Process id; another one after `restart`. */
  readonly pid: number;
  /** The data and log folder; the log is `log` in it. */
  readonly folder: string;
  /** Ends it in an orderly way and removes its folder. Any number of calls. */
  stop(): Promise<void>;
  /** Sends a signal (SIGKILL if none is named) and, for one that ends it, waits until it is gone. The folder stays. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again, on the same port and folder, killing it first if it still runs. */
  restart(): Promise<void>;
}

export interface ServerCommand {
  program: string;
  args: string[];
  environment: Record<string, string>;
  url: string;
  port: number;
  folder: string;
  stopSignal: NodeJS.Signals;
  owner?: { uid: number; gid: number } | undefined;
  isReady(): Promise<boolean>;
  /** 15 s if nothing else is said. */
  readyWithinMs?: number;
}

const READY_WITHIN_MS = 15_000;
const STOP_WITHIN_MS = 5_000;
/** Asking more often takes time from those who start: a refused connection costs a test that runs in Jest milliseconds. */
const ASK_EVERY_MS = 100;
const NOT_FATAL: readonly NodeJS.Signals[] = ['SIGSTOP', 'SIGCONT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];

export async function runServer(command: ServerCommand): Promise<RunningServer> {
  const server = new ServerProcess(command);
  await server.start();
  return server;
}

class ServerProcess implements RunningServer {
  private child: ChildProcess | undefined;

  constructor(private readonly command: ServerCommand) {}

  get url(): string {
    return this.command.url;
  }

  get port(): number {
    return this.command.port;
  }

  get folder(): string {
    return this.command.folder;
  }

  get pid(): number {
    if (this.child?.pid === undefined) throw new Error('the server does not run');
    return this.child.pid;
  }

  async start(): Promise<void> {
    const log = openSync(join(this.folder, 'log'), 'a');
    const { program, args, environment, owner } = this.command;
    this.child = spawn(program, args, { cwd: this.folder, env: { ...process.env, ...environment }, stdio: ['ignore', log, log], ...owner });
    closeSync(log);
    this.child.on('error', () => undefined);
    this.child.unref();
    if (this.child.pid !== undefined) watch({ pid: this.child.pid, stopSignal: this.command.stopSignal, folder: this.folder });
    await this.untilReady();
  }

  async stop(): Promise<void> {
    await this.end(this.command.stopSignal);
    await rm(this.folder, { recursive: true, force: true });
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (NOT_FATAL.includes(signal)) this.child?.kill(signal);
    else await this.end(signal);
  }

  async restart(): Promise<void> {
    await this.end('SIGKILL');
    await this.start();
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (child?.pid !== undefined) unwatch(child.pid);
    if (child === undefined || hasEnded(child)) return;
    const children = childrenOf(child);
    child.kill(signal);
    const deadline = Date.now() + STOP_WITHIN_MS;
    while (!hasEnded(child)) {
      if (Date.now() > deadline) child.kill('SIGKILL');
      await sleep(5);
    }
    // PostgreSQL's outlive its kill for a moment, in which it would not start again.
    while (children.some(isAlive) && Date.now() < deadline) await sleep(5);
  }

  private async untilReady(): Promise<void> {
    const deadline = Date.now() + (this.command.readyWithinMs ?? READY_WITHIN_MS);
    while (!(await this.command.isReady())) {
      if (this.child === undefined || hasEnded(this.child) || Date.now() > deadline) throw await this.startFailure();
      await sleep(ASK_EVERY_MS);
    }
  }

  private async startFailure(): Promise<Error> {
    const log = await readFile(join(this.folder, 'log'), 'utf8').catch(() => '');
    await this.stop();
    return new Error(`${this.command.program} did not start: ${log.trim().split('\n').slice(-5).join(' | ')}`);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** Process ids; none where the system does not tell. */
function childrenOf({ pid }: ChildProcess): number[] {
  try {
    const listed = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return listed === '' ? [] : listed.split(' ').map(Number);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Connects, says `greeting`, and tells whether the first bytes of the answer satisfy `expected`. */
export function answers(port: number, greeting: string, expected: RegExp): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new Socket();
    const finish = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(500, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
    socket.once('data', (data) => finish(expected.test(data.toString('latin1'))));
    socket.connect(port, '127.0.0.1', () => socket.write(greeting));
  });
}
