// npm run bench -- [--topology standalone|services] [--pairs 50] [--window 8] [--size 256] [--seconds 8] [--json] [--idle N] [--fanout N] [--group N]
import { parseArgs } from 'node:util';
import { groupFigures, type GroupFigures } from './group-figures.js';
import { benchBareRelay, benchFanOut, benchIdle, benchTopology, type FanOutFigures, type Figures, type Shape } from './runs.js';

const { values } = parseArgs({
  options: {
    topology: { type: 'string' },
    pairs: { type: 'string', default: '50' },
    window: { type: 'string', default: '8' },
    size: { type: 'string', default: '256' },
    seconds: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
    idle: { type: 'string' },
    fanout: { type: 'string' },
    /** Devices in a group; no server. */
    group: { type: 'string' },
    /** Folder for CPU profiles of the servers. */
    profile: { type: 'string' },
  },
});

const KINDS = ['standalone', 'services'] as const;
const kinds = KINDS.filter((kind) => values.topology === undefined || values.topology === kind);
if (kinds.length === 0) throw new Error(`--topology is one of ${KINDS.join(', ')}`);

const shape: Shape = {
  pairs: count('pairs', values.pairs),
  window: count('window', values.window),
  size: count('size', values.size),
  seconds: count('seconds', values.seconds),
};
const nodeArguments = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];

if (values.idle !== undefined) await runIdle(count('idle', values.idle));
else if (values.group !== undefined) showGroup(await groupFigures(count('group', values.group)));
else if (values.fanout !== undefined) await runFanOuts(count('fanout', values.fanout));
else await runLoads();
process.exit(0);

async function runLoads(): Promise<void> {
  if (!values.json) console.log(`${shape.pairs} pairs, ${shape.window} in flight, ${shape.size} B, ${shape.seconds} s`);
  for (const kind of kinds) show(await benchTopology(kind, shape, nodeArguments));
  show(await benchBareRelay(shape));
}

function show(figures: Figures): void {
  if (values.json) return console.log(JSON.stringify(figures));
  const { name, rate, p50_ms, p99_ms, msgs_per_server_cpu_s, rss_mb, frames_per_box, failures } = figures;
  const columns = [
    name.padEnd(10),
    `${rate}/s`.padStart(9),
    `p50 ${p50_ms} ms`,
    `p99 ${p99_ms} ms`,
    `${msgs_per_server_cpu_s} round trips per server CPU second`,
    `${rss_mb} MiB`,
    `${frames_per_box} frames a box`,
    ...(failures > 0 ? [`${failures} FAILED`] : []),
  ];
  console.log(columns.join('  '));
}

function showGroup(figures: GroupFigures): void {
  if (values.json) return console.log(JSON.stringify(figures));
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  console.log(`a group of ${figures.members} devices, CPU of one of them`);
  console.log(`  join ${ms(figures.join_ms)}, by a Welcome of ${figures.welcome_bytes} B`);
  console.log(`  add one ${ms(figures.add_ms)}`);
  console.log(
    `  send ${ms(figures.send_ms)}, the engine alone ${ms(figures.bare_send_ms)}, with all receipts ${ms(figures.send_and_receipts_ms)}`,
  );
  console.log(`  catch up with 100 commits and 1,000 messages ${ms(figures.catch_up_ms)}`);
}

async function runFanOuts(members: number): Promise<void> {
  for (const kind of kinds) showFanOut(await benchFanOut(kind, shape, members, nodeArguments));
}

function showFanOut(figures: FanOutFigures): void {
  if (values.json) return console.log(JSON.stringify(figures));
  const { name, fanout, sends_per_s, p50_ms, p99_ms, server_cpu_us_per_recipient, server_cpu_us_per_round_trip, ratio, failures } = figures;
  const columns = [
    name.padEnd(10),
    `${sends_per_s} messages a second to ${fanout} members`,
    `p50 ${p50_ms} ms`,
    `p99 ${p99_ms} ms`,
    `${server_cpu_us_per_recipient} µs of server CPU a member, ${server_cpu_us_per_round_trip} µs a round trip`,
    `ratio ${ratio}`,
    ...(failures > 0 ? [`${failures} FAILED`] : []),
  ];
  console.log(columns.join('  '));
}

async function runIdle(connections: number): Promise<void> {
  for (const kind of kinds) {
    const figures = await benchIdle(kind, connections);
    if (values.json) console.log(JSON.stringify(figures));
    else
      console.log(
        `${kind.padEnd(10)}  ${connections} connections held  ${(figures.bytes_per_connection / 1_024).toFixed(1)} KiB a connection`,
      );
  }
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} is a whole number from 1`);
  return value;
}
