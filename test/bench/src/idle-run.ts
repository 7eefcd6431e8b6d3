import { setTimeout as sleep } from 'node:timers/promises';
import type { Topology, TopologyKind } from '../../harness/dist/index.js';
import { Child } from './child.js';
import { pinOf, startForLoad } from './measure.js';
import { usageOf } from './process-usage.js';

export interface IdleFigures {
  name: TopologyKind;
  connections: number;
  bytes_per_connection: number;
  /** What of it each server's processes hold; less than nothing where one lets go meanwhile of what it held before. */
  by_process: Record<string, number>;
}

/**
 * Longer than what follows a connection by timers takes: what contacts and relay do once it is there, what is kept of it for ten seconds, and the
 * 30 s for which a service keeps a connection to Postgres that it no longer needs, each a process there.
 */
const SETTLE_MS = 32_000;
const COLLECTION_MS = 1_000;
const COLLECTIONS = 4;
const NOT_OURS = ['nats', 'redis', 'postgres'];
/**
 * What fills and empties whatever is connected would hide what connections hold: the young generation is kept small, and half-empty pages, which
 * what has just been let go of leaves behind, are closed up.
 */
const V8_ARGUMENTS = ['--expose-gc', '--max-semi-space-size=1', '--compact-on-every-full-gc'];
const NODE_ARGUMENTS = [...V8_ARGUMENTS, '--import', new URL('./collect-garbage.js', import.meta.url).href];

/**
 * What all server processes hold with `connections` attached and idle, above what they hold with half as many: what a process takes once is in
 * both. They have just been started again, so that no memory is left over from registrations for connections to use.
 */
export async function benchIdle(kind: TopologyKind, connections: number): Promise<IdleFigures> {
  const half = Math.ceil(connections / 2);
  const topology = await startForLoad(kind, { nodeArguments: NODE_ARGUMENTS });
  const settings = { kind: 'idle', url: topology.url, pin: pinOf(topology), pairs: half, window: 0, size: 0 };
  const load = new Child('./load.js', JSON.stringify(settings));
  try {
    await load.next();
    await startAgain(topology);
    const withHalf = await memoryWithMore(load, topology);
    const withAll = await memoryWithMore(load, topology);
    const more = [...withAll].map(([name, bytes]): [string, number] => [name, Math.round((bytes - (withHalf.get(name) ?? 0)) / half)]);
    const sum = more.reduce((total, [, bytes]) => total + bytes, 0);
    return { name: kind, connections: 2 * half, bytes_per_connection: sum, by_process: Object.fromEntries(more) };
  } finally {
    load.stop();
    await topology.stop();
  }
}

function ours(topology: Topology): { name: string; pid: number }[] {
  return topology.pids().filter(({ name }) => !NOT_OURS.includes(name));
}

async function startAgain(topology: Topology): Promise<void> {
  const names = ours(topology).map(({ name }) => name);
  await Promise.all(names.map((name) => topology.kill(name, 'SIGTERM')));
  await Promise.all(names.map((name) => topology.restart(name)));
}

/** Bytes by the process's name. */
async function memoryWithMore(load: Child, topology: Topology): Promise<Map<string, number>> {
  load.send('connect');
  await load.next();
  await sleep(SETTLE_MS);
  for (let i = 0; i < COLLECTIONS; i++) {
    for (const { pid } of ours(topology)) process.kill(pid, 'SIGUSR2');
    await sleep(COLLECTION_MS);
  }
  return new Map(topology.pids().map(({ name, pid }) => [name, usageOf([pid]).anonymousBytes]));
}
