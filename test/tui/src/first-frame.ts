import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KEYS, PseudoTerminal } from './pseudo-terminal.js';

const RUNS = 5;

/** Where one account is remembered, on a server that is down: the screen is there before anything of it is opened. */
async function homeWithAnAccount(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'sotto-first-frame-'));
  const config = join(home, '.config', 'sotto');
  await mkdir(config, { recursive: true });
  const servers = [{ host: '127.0.0.1', port: 1, name: 'alice', pin: 'ab'.repeat(32) }];
  await writeFile(join(config, 'servers.json'), JSON.stringify({ servers }), { mode: 0o600 });
  return home;
}

async function run(HOME: string): Promise<{ readonly ms: number; readonly processorMs: number }> {
  const alice = new PseudoTerminal('alice', [], { PATH: process.env['PATH'], HOME, TERM: 'xterm-256color' });
  await alice.shows('─');
  const processorMs = await alice.processorMs();
  alice.type(KEYS.escape);
  await alice.leaves();
  return { ms: alice.firstFrameMs ?? Number.NaN, processorMs };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** From the start of `sotto` to its first frame, at a real pseudo-terminal. */
const home = await homeWithAnAccount();
try {
  const runs = [];
  for (let i = 0; i < RUNS; i++) runs.push(await run(home));
  const [ms, processorMs] = [median(runs.map((each) => each.ms)), median(runs.map((each) => each.processorMs))];
  process.stdout.write(`first frame after ${ms.toFixed(0)} ms, of which the processor worked ${processorMs} ms (medians of ${RUNS})\n`);
} finally {
  await rm(home, { recursive: true, force: true });
}
process.exit(0);
