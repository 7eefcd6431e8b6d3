import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second in /proc/PID/stat: 100 on every Linux that Node runs on. */
const TICKS = 100;

export interface Usage {
  /** CPU time so far, of the processes and all their descendants. Seconds. */
  cpuSeconds: number;
  /** Proportional set size: shared pages are counted once. Bytes. */
  memoryBytes: number;
  /** Of it what is no file's: heaps and stacks, without the program's own pages, which the kernel drops and reads again as it likes. Bytes. */
  anonymousBytes: number;
}

export function usageOf(pids: readonly number[]): Usage {
  const usage: Usage = { cpuSeconds: 0, memoryBytes: 0, anonymousBytes: 0 };
  for (const pid of withDescendants(pids)) {
    const stat = statOf(pid);
    if (stat === undefined) continue;
    usage.cpuSeconds += stat.ticks / TICKS;
    const { whole, anonymous } = memoryOf(pid);
    usage.memoryBytes += whole;
    usage.anonymousBytes += anonymous;
  }
  return usage;
}

function withDescendants(pids: readonly number[]): Set<number> {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (/^\d+$/.test(name)) parents.set(Number(name), statOf(Number(name))?.parent ?? 0);
  }
  const all = new Set(pids);
  for (let before = 0; before !== all.size;) {
    before = all.size;
    for (const [pid, parent] of parents) if (all.has(parent)) all.add(pid);
  }
  return all;
}

function statOf(pid: number): { parent: number; ticks: number } | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // proc(5): the program's name is in parentheses and may hold anything; what follows starts with field 3.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // Own time (14, 15) and that of children that have ended (16, 17).
  const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
  return { parent: Number(fields[1]), ticks };
}

function memoryOf(pid: number): { whole: number; anonymous: number } {
  const rollup = read(`/proc/${pid}/smaps_rollup`) ?? '';
  const status = read(`/proc/${pid}/status`) ?? '';
  const whole = kibIn(rollup, 'Pss') ?? kibIn(status, 'VmRSS') ?? 0;
  const anonymous = kibIn(rollup, 'Anonymous') ?? kibIn(status, 'RssAnon') ?? 0;
  return { whole: whole * 1_024, anonymous: anonymous * 1_024 };
}

function kibIn(text: string, field: string): number | undefined {
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
  return kib === undefined ? undefined : Number(kib);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
