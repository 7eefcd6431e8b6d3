import { groupFigures } from './group-figures.js';
import { benchIdle } from './idle-run.js';
import { type BenchOptions, benchOptions, helpText } from './options.js';
import { fanOutLine, groupLines, idleLine, loadLine, stormLine } from './report.js';
import { benchBareRelay, benchFanOut, benchTopology, type Shape } from './runs.js';
import { benchStorm } from './storm-run.js';

const values = chosen();
if (values.help) {
  console.log(helpText());
  process.exit(0);
}

const KINDS = ['standalone', 'services'] as const;
const kinds = KINDS.filter((kind) => values.topology === undefined || values.topology === kind);
if (kinds.length === 0) refuse(`--topology is one of ${KINDS.join(', ')}`);

const shape: Shape = {
  pairs: count('pairs', values.pairs),
  window: count('window', values.window),
  size: count('size', values.size),
  seconds: count('seconds', values.seconds),
};
const nodeArguments = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];

if (values.idle !== undefined) await runIdle(count('idle', values.idle));
else if (values.group !== undefined) show(await groupFigures(count('group', values.group)), groupLines);
else if (values.fanout !== undefined) await runFanOuts(count('fanout', values.fanout));
else if (values.storm !== undefined) await runStorms(count('storm', values.storm));
else await runLoads();
process.exit(0);

async function runLoads(): Promise<void> {
  if (!values.json) console.log(`${shape.pairs} pairs, ${shape.window} in flight, ${shape.size} B, ${shape.seconds} s`);
  const half = values.rate === 'half';
  for (const kind of kinds) show(await benchTopology(kind, shape, nodeArguments, half), loadLine);
  show(await benchBareRelay(shape, half), loadLine);
}

async function runFanOuts(members: number): Promise<void> {
  const senders = count('senders', values.senders);
  for (const kind of kinds) show(await benchFanOut(kind, shape, { members, senders }, nodeArguments), fanOutLine);
}

async function runIdle(connections: number): Promise<void> {
  for (const kind of kinds) show(await benchIdle(kind, connections), idleLine);
}

async function runStorms(logIns: number): Promise<void> {
  for (const kind of kinds) show(await benchStorm(kind, shape, logIns), stormLine);
}

function show<Figures>(figures: Figures, lineOf: (figures: Figures) => string): void {
  console.log(values.json ? JSON.stringify(figures) : lineOf(figures));
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) refuse(`--${name} is a whole number from 1`);
  return value;
}

function chosen(): BenchOptions {
  try {
    return benchOptions();
  } catch (error) {
    return refuse(error instanceof Error ? error.message : 'these options cannot be read');
  }
}

function refuse(why: string): never {
  console.error(`bench: ${why}\n\n${helpText()}`);
  process.exit(2);
}
