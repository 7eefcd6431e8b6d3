import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunningServer, temporaryFolder } from '@sotto/testing';
import { type NodeCommand, runApp } from './node-process.js';
import { startServices } from './services.js';
import { runFolder, runShared } from './shared-app.js';
import { startStandalone } from './standalone.js';

export type TopologyKind = 'standalone' | 'services';

export interface TopologyOptions {
  /** RELAY_RETRY_WINDOW. */
  retryWindowSeconds?: number;
  registration?: 'open' | 'invite' | 'closed';
  maxConnections?: number;
  /** Further environment of every process of ours. */
  env?: Record<string, string>;
  /** Flags for Node in every process of ours, instead of those for tests. */
  nodeArguments?: string[];
}

/** Processes that make up a server, by name: `standalone`, or the five services and `nats`, `redis`, `postgres`. */
export interface Parts {
  port: number;
  pin: Uint8Array;
  processes: Map<string, RunningServer>;
  createInvite(name: string): Promise<string>;
}

/** Starts one of our processes. */
export type Run = (command: NodeCommand) => Promise<RunningServer>;

/** A whole server, of which a suite need not know in which processes it runs. */
export interface Server {
  readonly kind: TopologyKind;
  /** Where clients connect. */
  readonly url: string;
  readonly pin: Uint8Array;
  /** Files of the server, apart from each process's own folder. Gone after `stop`. */
  readonly folder: string;
  createInvite(name?: string): Promise<string>;
  stop(): Promise<void>;
}

export interface Topology extends Server {
  pids(): { name: string; pid: number }[];
  /** Folder of a process: its data and its log. */
  folderOf(name: string): string;
  /** Where a process is reached: with its protocol, and a password if it has one. */
  urlOf(name: string): string;
  /** What a process has printed so far. */
  logs(name: string): Promise<string>;
  /** Waits until it is gone, when the signal ends it. */
  kill(name: string, signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again at the same address; resolves when it answers. */
  restart(name: string): Promise<void>;
}

/**
 * For suites that neither stop a part of it nor look at one. In a run of all tests its apps are instances in processes that other suites use too,
 * each with files, database, broker, live state and settings of its own. All of it ends with this process at the latest.
 */
export function startServer(kind: TopologyKind, options: Omit<TopologyOptions, 'nodeArguments'> = {}): Promise<Server> {
  const run = runFolder();
  if (run === undefined) return startTopology(kind, options);
  return start(kind, options, (command) => runShared(command, processOf(command), run));
}

/** What a standalone does when it starts would keep the devices of another suite waiting: each of Jest's workers, which run one suite at a time, has its own. */
function processOf({ name }: NodeCommand): string {
  return name === 'standalone' ? `${name}-${process.env['JEST_WORKER_ID']}` : name;
}

/** A whole server in processes of its own, on free loopback ports. All of it ends with this process at the latest. */
export async function startTopology(kind: TopologyKind, options: TopologyOptions = {}): Promise<Topology> {
  // What a relay waits for when it leaves in an orderly way is nothing to a test that is over.
  return start(kind, options, (command) => runApp({ ...command, stopSignal: 'SIGKILL' }));
}

async function start(kind: TopologyKind, options: TopologyOptions, run: Run): Promise<Topology> {
  const folder = await temporaryFolder(`topology-${kind}`);
  const parts = await (kind === 'standalone' ? startStandalone(folder, options, run) : startServices(folder, options, run));
  return new RunningTopology(kind, folder, parts);
}

class RunningTopology implements Topology {
  constructor(
    readonly kind: TopologyKind,
    readonly folder: string,
    private readonly parts: Parts,
  ) {}

  get url(): string {
    return `ws://127.0.0.1:${this.parts.port}`;
  }

  get pin(): Uint8Array {
    return this.parts.pin;
  }

  createInvite(name = ''): Promise<string> {
    return this.parts.createInvite(name);
  }

  pids(): { name: string; pid: number }[] {
    return [...this.parts.processes].map(([name, { pid }]) => ({ name, pid }));
  }

  folderOf(name: string): string {
    return this.process(name).folder;
  }

  urlOf(name: string): string {
    return this.process(name).url;
  }

  logs(name: string): Promise<string> {
    return readFile(join(this.folderOf(name), 'log'), 'utf8');
  }

  kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return this.process(name).kill(signal);
  }

  restart(name: string): Promise<void> {
    return this.process(name).restart();
  }

  async stop(): Promise<void> {
    await stopAll(this.parts.processes);
    await rm(this.folder, { recursive: true, force: true });
  }

  private process(name: string): RunningServer {
    const process = this.parts.processes.get(name);
    if (process === undefined) throw new Error(`no process ${name} here: ${[...this.parts.processes.keys()].join(', ')}`);
    return process;
  }
}

/** The services first, then what they stand on. */
export async function stopAll(processes: Map<string, RunningServer>): Promise<void> {
  const grounds = ['nats', 'redis', 'postgres'];
  const all = [...processes];
  await Promise.all(all.filter(([name]) => !grounds.includes(name)).map(([, one]) => one.stop()));
  await Promise.all(all.filter(([name]) => grounds.includes(name)).map(([, one]) => one.stop()));
}

/** For processes that use a database, which is WebAssembly or asked by way of it: to optimise that takes more than a test has for it to do. */
export const UNOPTIMISED_WASM = ['--liftoff-only'];

/** What the variables of all apps have in common. */
export function settingsOf(options: TopologyOptions): Record<string, string> {
  return {
    SERVER_NAME: 'sotto.test',
    REGISTRATION: options.registration ?? 'invite',
    LOG_LEVEL: 'info',
    ...(options.retryWindowSeconds === undefined ? {} : { RELAY_RETRY_WINDOW: String(options.retryWindowSeconds) }),
    ...(options.maxConnections === undefined ? {} : { MAX_CONNECTIONS: String(options.maxConnections) }),
    ...options.env,
  };
}
