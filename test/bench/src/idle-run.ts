import { setTimeout as sleep } from 'node:timers/promises';
import type { Topology, TopologyKind } from '../../harness/dist/index.js';
import { Child } from './child.js';
import { pinOf, startForLoad } from './measure.js';
import { usageOf } from './process-usage.js';

export interface IdleFigures {
  name: TopologyKind;
  connections: number;
  bytes_per_connection: number;
}

const SETTLE_MS = 5_000;
const COLLECTION_MS = 1_000;
const COLLECTIONS = 3;
const NOT_OURS = ['nats', 'redis', 'postgres'];
const GARBAGE_COLLECTION = ['--expose-gc', '--import', new URL('./collect-garbage.js', import.meta.url).href];

/**
 * Memory of all server processes with `connections` attached and idle, above what they have with half as many: what logging in leaves behind and
 * the heaps' room to breathe are in both. Garbage is collected first.
 */
export async function benchIdle(kind: TopologyKind, connections: number): Promise<IdleFigures> {
  const half = Math.ceil(connections / 2);
  const topology = await startForLoad(kind, { nodeArguments: GARBAGE_COLLECTION });
  const settings = { kind: 'idle', url: topology.url, pin: pinOf(topology), pairs: half, window: 0, size: 0 };
  const load = new Child('./load.js', JSON.stringify(settings));
  try {
    await load.next();
    const withHalf = await memoryWithMore(load, topology);
    const withAll = await memoryWithMore(load, topology);
    return { name: kind, connections: 2 * half, bytes_per_connection: Math.round((withAll - withHalf) / half) };
  } finally {
    load.stop();
    await topology.stop();
  }
}

async function memoryWithMore(load: Child, topology: Topology): Promise<number> {
  load.send('connect');
  await load.next();
  await sleep(SETTLE_MS);
  return collected(topology);
}

/** Bytes that are held once our own processes have collected their garbage: without the pages that their heaps keep for what is to come. */
async function collected(topology: Topology): Promise<number> {
  for (let i = 0; i < COLLECTIONS; i++) {
    for (const { name, pid } of topology.pids()) if (!NOT_OURS.includes(name)) process.kill(pid, 'SIGUSR2');
    await sleep(COLLECTION_MS);
  }
  const held = await Promise.all(
    topology.pids().map(async ({ name, pid }) => usageOf([pid]).anonymousBytes - (await emptyHeap(topology, name))),
  );
  return held.reduce((sum, bytes) => sum + bytes, 0);
}

async function emptyHeap(topology: Topology, name: string): Promise<number> {
  if (NOT_OURS.includes(name)) return 0;
  const last = [...(await topology.logs(name)).matchAll(/^\{"emptyHeapBytes":(\d+)\}$/gm)].at(-1);
  if (last === undefined) throw new Error(`${name} did not collect its garbage`);
  return Number(last[1]);
}
