import { setTimeout as sleep } from 'node:timers/promises';
import type { TopologyKind } from '../../harness/dist/index.js';
import { Child } from './child.js';
import type { LoadResult, LoadSettings, StormResult } from './load-settings.js';
import { pinOf, round, startForLoad } from './measure.js';
import type { Shape } from './runs.js';

export interface StormFigures {
  name: TopologyKind;
  log_ins: number;
  /** Messages a second all the while, in an open loop. */
  rate: number;
  calm_p99_ms: number;
  /** From the moment of the log-ins until the last is done. */
  storm_p50_ms: number;
  storm_p99_ms: number;
  storm_s: number;
  failures: number;
}

const RATE = 1_000;
const WARM_UP_MS = 3_000;
const CALM_MS = 5_000;

/** What messages between connected devices wait for while as many as `logIns` log in with their passwords at once. */
export async function benchStorm(kind: TopologyKind, shape: Shape, logIns: number): Promise<StormFigures> {
  const topology = await startForLoad(kind);
  const server = { url: topology.url, pin: pinOf(topology), ...shape };
  const storm = childOf({ ...server, kind: 'storm', pairs: logIns });
  await storm.next();
  const traffic = childOf({ ...server, kind: 'sotto', rate: RATE });
  try {
    await traffic.next();
    traffic.send('go');
    await sleep(WARM_UP_MS);
    traffic.send('begin');
    await sleep(CALM_MS);
    const calm = await ended(traffic);
    traffic.send('begin');
    storm.send('connect');
    const logged = await storm.next<StormResult>();
    return figuresOf(kind, logIns, { calm, during: await ended(traffic), logged });
  } finally {
    storm.stop();
    traffic.stop();
    await topology.stop();
  }
}

function childOf(settings: LoadSettings): Child {
  return new Child('./load.js', JSON.stringify(settings));
}

function ended(traffic: Child): Promise<LoadResult> {
  traffic.send('end');
  return traffic.next<LoadResult>();
}

function figuresOf(
  name: TopologyKind,
  logIns: number,
  { calm, during, logged }: { calm: LoadResult; during: LoadResult; logged: StormResult },
): StormFigures {
  return {
    name,
    log_ins: logIns,
    rate: RATE,
    calm_p99_ms: round(calm.p99Ms, 2),
    storm_p50_ms: round(during.p50Ms, 2),
    storm_p99_ms: round(during.p99Ms, 2),
    storm_s: round(logged.seconds, 2),
    failures: calm.failures + during.failures + logged.failures,
  };
}
