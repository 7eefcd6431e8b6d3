import { setTimeout as sleep } from 'node:timers/promises';
import { startTopology, type Topology, type TopologyKind } from '../../harness/dist/index.js';
import { Child } from './child.js';
import type { LoadResult, LoadSettings } from './load-settings.js';
import { usageOf } from './process-usage.js';

export interface Shape {
  pairs: number;
  window: number;
  size: number;
  seconds: number;
}

/** One line of the bench's output. */
export interface Figures {
  name: TopologyKind | 'bare-ws';
  pairs: number;
  window: number;
  size: number;
  rate: number;
  p50_ms: number;
  p99_ms: number;
  msgs_per_server_cpu_s: number;
  rss_mb: number;
  frames_per_box: number;
  failures: number;
}

export interface IdleFigures {
  name: TopologyKind;
  connections: number;
  bytes_per_connection: number;
}

const WARM_UP_MS = 2_000;
const SETTLE_MS = 5_000;
const MiB = 1024 * 1024;

export async function benchTopology(kind: TopologyKind, shape: Shape, nodeArguments: string[]): Promise<Figures> {
  const topology = await startForLoad(kind, nodeArguments);
  try {
    const pids = topology.pids().map(({ pid }) => pid);
    return await measure(kind, pids, { kind: 'sotto', url: topology.url, pin: pinOf(topology), ...shape }, shape.seconds);
  } finally {
    await topology.stop();
  }
}

export async function benchBareRelay(shape: Shape): Promise<Figures> {
  const relay = new Child('./bare-relay.js');
  try {
    const { port } = await relay.next<{ port: number }>();
    return await measure('bare-ws', [relay.pid], { kind: 'bare', url: `ws://127.0.0.1:${port}`, pin: '', ...shape }, shape.seconds);
  } finally {
    relay.stop();
  }
}

/** Memory of all server processes with `connections` attached and idle, above what they had before. */
export async function benchIdle(kind: TopologyKind, connections: number): Promise<IdleFigures> {
  const topology = await startForLoad(kind, []);
  const settings: LoadSettings = { kind: 'idle', url: topology.url, pin: pinOf(topology), pairs: connections, window: 0, size: 0 };
  const load = new Child('./load.js', JSON.stringify(settings));
  try {
    await load.next();
    await sleep(SETTLE_MS);
    const pids = topology.pids().map(({ pid }) => pid);
    const before = usageOf(pids).memoryBytes;
    load.send('connect');
    await load.next();
    await sleep(SETTLE_MS);
    return { name: kind, connections, bytes_per_connection: Math.round((usageOf(pids).memoryBytes - before) / connections) };
  } finally {
    load.stop();
    await topology.stop();
  }
}

function startForLoad(kind: TopologyKind, nodeArguments: string[]): Promise<Topology> {
  const env = { TRUSTED_PROXIES: '127.0.0.1', SEND_RATE: '100000', LOG_LEVEL: 'warn' };
  return startTopology(kind, { registration: 'open', env, nodeArguments });
}

function pinOf(topology: Topology): string {
  return Buffer.from(topology.pin).toString('hex');
}

async function measure(name: Figures['name'], pids: number[], settings: LoadSettings, seconds: number): Promise<Figures> {
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
    const result = await load.next<LoadResult>();
    const { pairs, window, size } = settings;
    return {
      name,
      pairs,
      window,
      size,
      ...figuresOf(result, after.cpuSeconds - before.cpuSeconds),
      rss_mb: round(after.memoryBytes / MiB, 0),
    };
  } finally {
    load.stop();
  }
}

function figuresOf(result: LoadResult, cpuSeconds: number) {
  return {
    rate: round(result.messages / result.seconds, 0),
    p50_ms: round(result.p50Ms, 2),
    p99_ms: round(result.p99Ms, 2),
    msgs_per_server_cpu_s: round(result.messages / cpuSeconds, 0),
    frames_per_box: round(result.frames / Math.max(result.boxes, 1), 1),
    failures: result.failures,
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
