import { setTimeout as sleep } from 'node:timers/promises';
import type { Topology, TopologyKind } from '../../harness/dist/index.js';
import { Child } from './child.js';
import { pinOf, startForLoad } from './measure.js';
import { usageOf } from './process-usage.js';

export interface IdleFigures {
  name: TopologyKind;
  connections: number;
  /** After garbage collections before and after: what the connections hold. */
  bytes_per_connection: number;
  /** Before the last garbage collection: what logging in has left behind counts as well. */
  bytes_per_connection_with_garbage: number;
}

/** Until the routes of devices that have left are forgotten, too. */
const SETTLE_MS = 15_000;
const COLLECTION_MS = 1_000;
const COLLECTIONS = 3;
const NOT_OURS = ['nats', 'redis', 'postgres'];
const GARBAGE_COLLECTION = ['--expose-gc', '--import', new URL('./collect-garbage.js', import.meta.url).href];

/** Memory of all server processes with `connections` attached and idle, above what they had before. */
export async function benchIdle(kind: TopologyKind, connections: number): Promise<IdleFigures> {
  const topology = await startForLoad(kind, { nodeArguments: GARBAGE_COLLECTION, retryWindowSeconds: 1 });
  const settings = { kind: 'idle', url: topology.url, pin: pinOf(topology), pairs: connections, window: 0, size: 0 };
  const load = new Child('./load.js', JSON.stringify(settings));
  try {
    await load.next();
    await sleep(SETTLE_MS);
    const before = await collected(topology);
    load.send('connect');
    await load.next();
    await sleep(SETTLE_MS);
    const grown = (memory: number) => Math.round((memory - before) / connections);
    const withGarbage = grown(memoryOf(topology));
    const held = grown(await collected(topology));
    return { name: kind, connections, bytes_per_connection: held, bytes_per_connection_with_garbage: withGarbage };
  } finally {
    load.stop();
    await topology.stop();
  }
}

/** Memory in bytes once our own processes have collected their garbage. */
async function collected(topology: Topology): Promise<number> {
  for (let i = 0; i < COLLECTIONS; i++) {
    for (const { name, pid } of topology.pids()) if (!NOT_OURS.includes(name)) process.kill(pid, 'SIGUSR2');
    await sleep(COLLECTION_MS);
  }
  return memoryOf(topology);
}

function memoryOf(topology: Topology): number {
  return usageOf(topology.pids().map(({ pid }) => pid)).anonymousBytes;
}
