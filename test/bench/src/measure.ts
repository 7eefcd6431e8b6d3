import { setTimeout as sleep } from 'node:timers/promises';
import { startTopology, type Topology, type TopologyKind, type TopologyOptions } from '../../harness/dist/index.js';
import { Child } from './child.js';
import type { LoadResult, LoadSettings } from './load-settings.js';
import { usageOf } from './process-usage.js';

const WARM_UP_MS = 2_000;

export function startForLoad(kind: TopologyKind, options: TopologyOptions = {}): Promise<Topology> {
  const env = { TRUSTED_PROXIES: '127.0.0.1', SEND_RATE: '100000', RELAY_RECIPIENT_RATE: '10000000', LOG_LEVEL: 'warn' };
  return startTopology(kind, { registration: 'open', env, ...options });
}

export function pinOf(topology: Topology): string {
  return Buffer.from(topology.pin).toString('hex');
}

export interface Measured {
  result: LoadResult;
  cpuSeconds: number;
  memoryBytes: number;
}

/** Lets the load run, and counts what the processes spent meanwhile. */
export async function measure(pids: number[], settings: LoadSettings, seconds: number): Promise<Measured> {
  const load = new Child('./load.js', JSON.stringify(settings));
  try {
    await load.next();
    load.send('go');
    await sleep(WARM_UP_MS);
    load.send('begin');
    const before = usageOf(pids);
    await sleep(seconds * 1_000);
    const after = usageOf(pids);
    load.send('end');
    return { result: await load.next<LoadResult>(), cpuSeconds: after.cpuSeconds - before.cpuSeconds, memoryBytes: after.memoryBytes };
  } finally {
    load.stop();
  }
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
