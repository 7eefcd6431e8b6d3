import { parseArgs } from 'node:util';

const OPTIONS = {
  topology: { type: 'string' },
  pairs: { type: 'string', default: '50' },
  window: { type: 'string', default: '8' },
  size: { type: 'string', default: '256' },
  seconds: { type: 'string', default: '8' },
  rate: { type: 'string' },
  fanout: { type: 'string' },
  senders: { type: 'string', default: '1' },
  idle: { type: 'string' },
  storm: { type: 'string' },
  group: { type: 'string' },
  profile: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const HELP: Readonly<Record<keyof typeof OPTIONS, readonly [argument: string, meaning: string]>> = {
  topology: ['KIND', 'standalone or services alone; without it both, one after the other'],
  pairs: ['N', 'senders, each with a recipient of its own'],
  window: ['N', 'messages of a sender on their way at once; the next goes when one is answered'],
  size: ['BYTES', 'payload of a message'],
  seconds: ['N', 'how long is measured, after 2 s of warming up'],
  rate: ['half', 'also at half of the highest rate, sent whatever comes back: windows at once, then one by one'],
  fanout: ['N', 'messages to N members each, beside as many round trips of pairs'],
  senders: ['N', 'with --fanout: as many senders, which share the window'],
  idle: ['N', 'memory of a connection that is left alone, with N held'],
  storm: ['N', 'what messages wait for while N devices log in at once'],
  group: ['N', 'what a group of N devices costs one of them; no server'],
  profile: ['FOLDER', 'CPU profiles of the servers go there'],
  json: ['', 'a JSON object a line'],
  help: ['', 'this text'],
};

export type BenchOptions = ReturnType<typeof benchOptions>;

export function benchOptions() {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.rate !== undefined && values.rate !== 'half') throw new Error('--rate is half');
  return values;
}

export function helpText(): string {
  const lines = Object.entries(OPTIONS).map(([name, option]) => {
    const [argument, meaning] = HELP[name as keyof typeof OPTIONS];
    const standing = 'default' in option && option.default !== false ? ` (${option.default})` : '';
    return `  ${`--${name} ${argument}`.padEnd(20)}${meaning}${standing}`;
  });
  return ['npm run bench -- [options]: what the servers do with the CPU and memory they take', '', ...lines].join('\n');
}
