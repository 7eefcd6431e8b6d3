import type { TopologyKind } from '../../harness/dist/index.js';
import { Child } from './child.js';
import type { LoadResult, LoadSettings } from './load-settings.js';
import { measure, type Measured, pinOf, round, startForLoad } from './measure.js';

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
  /** With `--rate`: the same pairs at this rate, each with its window of messages at once, and what is waited for an answer then. */
  paced?: PacedFigures;
  /** The same with every message by itself: there is nothing to batch. Absent where the window is one message. */
  paced_singly?: PacedFigures;
}

export interface PacedFigures {
  rate: number;
  p50_ms: number;
  p99_ms: number;
  failures: number;
}

export interface FanOutGroup {
  members: number;
  senders: number;
}

/** What one message to many members costs the server, beside messages to one each, measured on the same server. */
export interface FanOutFigures {
  name: TopologyKind;
  fanout: number;
  senders: number;
  window: number;
  size: number;
  sends_per_s: number;
  p50_ms: number;
  p99_ms: number;
  server_cpu_us_per_recipient: number;
  server_cpu_us_per_round_trip: number;
  /** Of the two above. */
  ratio: number;
  /** Of as many pairs as there are members, with one message on its way each: nothing to batch. */
  server_cpu_us_per_lone_round_trip: number;
  lone_ratio: number;
  frames_per_box: number;
  failures: number;
}

const MiB = 1024 * 1024;

/** @param half also at half of the highest rate, in an open loop. */
export async function benchTopology(kind: TopologyKind, shape: Shape, nodeArguments: string[], half: boolean): Promise<Figures> {
  const topology = await startForLoad(kind, { nodeArguments });
  try {
    const pids = topology.pids().map(({ pid }) => pid);
    return await benchPairs(kind, pids, { kind: 'sotto', url: topology.url, pin: pinOf(topology), ...shape }, shape, half);
  } finally {
    await topology.stop();
  }
}

/** What the same pairs see of a relay that does nothing else: the floor, on this machine as it is now. */
export async function benchBareRelay(shape: Shape, half: boolean): Promise<Figures> {
  const relay = new Child('./bare-relay.js');
  try {
    const { port } = await relay.next<{ port: number }>();
    return await benchPairs('bare-ws', [relay.pid], { kind: 'bare', url: `ws://127.0.0.1:${port}`, pin: '', ...shape }, shape, half);
  } finally {
    relay.stop();
  }
}

async function benchPairs(name: Figures['name'], pids: number[], settings: LoadSettings, shape: Shape, half: boolean): Promise<Figures> {
  const figures = figuresOf(name, shape, await measure(pids, settings, shape.seconds));
  if (!half) return figures;
  const pacedBy = async (burst: number) =>
    pacedFigures((await measure(pids, { ...settings, rate: figures.rate / 2, burst }, shape.seconds)).result);
  const paced = await pacedBy(shape.window);
  return shape.window === 1 ? { ...figures, paced } : { ...figures, paced, paced_singly: await pacedBy(1) };
}

export async function benchFanOut(kind: TopologyKind, shape: Shape, group: FanOutGroup, nodeArguments: string[]): Promise<FanOutFigures> {
  const topology = await startForLoad(kind, { nodeArguments });
  try {
    const pids = topology.pids().map(({ pid }) => pid);
    const server = { url: topology.url, pin: pinOf(topology) };
    const single = await measure(pids, { kind: 'sotto', ...server, ...shape }, shape.seconds);
    const { members, senders } = group;
    const lone = await measure(pids, { kind: 'sotto', ...server, ...shape, pairs: members, window: 1 }, shape.seconds);
    const fanOut = await measure(pids, { kind: 'fan-out', ...server, ...shape, pairs: members, senders }, shape.seconds);
    return fanOutFigures(kind, shape, group, { single, lone, fanOut });
  } finally {
    await topology.stop();
  }
}

function figuresOf(name: Figures['name'], { pairs, window, size }: Shape, { result, cpuSeconds, memoryBytes }: Measured): Figures {
  return {
    name,
    pairs,
    window,
    size,
    rate: round(result.messages / result.seconds, 0),
    p50_ms: round(result.p50Ms, 2),
    p99_ms: round(result.p99Ms, 2),
    msgs_per_server_cpu_s: round(result.messages / cpuSeconds, 0),
    rss_mb: round(memoryBytes / MiB, 0),
    frames_per_box: framesPerBox(result),
    failures: result.failures,
  };
}

function pacedFigures({ messages, seconds, p50Ms, p99Ms, failures }: LoadResult): PacedFigures {
  return { rate: round(messages / seconds, 0), p50_ms: round(p50Ms, 2), p99_ms: round(p99Ms, 2), failures };
}

function fanOutFigures(
  name: TopologyKind,
  { window, size }: Shape,
  { members, senders }: FanOutGroup,
  { single, lone, fanOut }: Record<'single' | 'lone' | 'fanOut', Measured>,
): FanOutFigures {
  const roundTrip = single.cpuSeconds / single.result.messages;
  const loneRoundTrip = lone.cpuSeconds / lone.result.messages;
  const recipient = fanOut.cpuSeconds / (fanOut.result.messages * members);
  return {
    name,
    fanout: members,
    senders,
    window,
    size,
    sends_per_s: round(fanOut.result.messages / fanOut.result.seconds, 0),
    p50_ms: round(fanOut.result.p50Ms, 2),
    p99_ms: round(fanOut.result.p99Ms, 2),
    server_cpu_us_per_recipient: round(recipient * 1e6, 1),
    server_cpu_us_per_round_trip: round(roundTrip * 1e6, 1),
    ratio: round(recipient / roundTrip, 3),
    server_cpu_us_per_lone_round_trip: round(loneRoundTrip * 1e6, 1),
    lone_ratio: round(recipient / loneRoundTrip, 3),
    frames_per_box: framesPerBox(fanOut.result),
    failures: single.result.failures + lone.result.failures + fanOut.result.failures,
  };
}

function framesPerBox({ frames, boxes }: LoadResult): number {
  return round(frames / Math.max(boxes, 1), 1);
}
