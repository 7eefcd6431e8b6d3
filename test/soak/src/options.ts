import { parseArgs } from 'node:util';
import type { TopologyKind } from '../../harness/dist/index.js';

export interface SoakOptions {
  readonly topology: TopologyKind;
  readonly seconds: number;
  readonly seed: number;
  /** Processes that come to grief; all when undefined. */
  readonly only: readonly string[] | undefined;
  /** Nobody has a second device. */
  readonly oneDevice: boolean;
}

export const HELP = `npm run soak -- [options]: people talk while parts of a real server die and stall; then everything runs again, and is judged

  --topology KIND     standalone or services (services)
  --seconds N         how long things go wrong (60)
  --seed N            of what happens; when it happens goes by the machine too (1)
  --only A,B          which processes die and stall; without it all
  --one-device        nobody has a second device; without it two have a tablet, and one a mailbox
  --help              this text`;

/** Undefined: help was asked for. Throws an error that says what is wrong. */
export function soakOptions(): SoakOptions | undefined {
  const { values } = parseArgs({
    options: {
      topology: { type: 'string', default: 'services' },
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      'one-device': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { topology } = values;
  if (topology !== 'standalone' && topology !== 'services') throw new Error('--topology is standalone or services');
  return {
    topology,
    seconds: count('--seconds', values.seconds),
    seed: count('--seed', values.seed),
    only: values.only?.split(','),
    oneDevice: values['one-device'],
  };
}

function count(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${name} is a whole number from 1`);
  return Number(text);
}
