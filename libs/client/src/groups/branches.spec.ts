import { describe, expect, it } from '@jest/globals';
import { Branches } from './branches.js';
import type { GroupPorts } from './group-ports.js';
import { GROUP_RULES } from './group-rules.js';

const ROOT = 'aa'.repeat(16);
const PASSED = 'bb'.repeat(16);
const UNKNOWN = 'cc'.repeat(16);

/** A device that was let in at epoch 5 and holds these states; of states and messages nothing is known but their epochs. */
function holding(...epochs: readonly [string, number][]): Branches {
  const engine = {
    deserialiseParts: ([epoch]: Uint8Array) => ({ epoch: BigInt(epoch!) }),
    peek: ([epoch]: Uint8Array) => ({ epoch: BigInt(epoch!) }),
  };
  const ports = { rules: GROUP_RULES, engine } as unknown as GroupPorts;
  const branches = new Branches('c0'.repeat(32), ports, ROOT, ROOT, new Map([[ROOT, { epoch: 5, helloKey: new Uint8Array(32) }]]));
  for (const [id, epoch] of epochs) branches.restoreState(id, Uint8Array.of(epoch), new Uint8Array());
  return branches;
}

const isPast = (branches: Branches, epoch: number) => branches.isPast(UNKNOWN, Uint8Array.of(epoch));

describe('a state that is not here', () => {
  it('is past below the root, and may come above it', () => {
    expect([4, 6].map((epoch) => isPast(holding([ROOT, 5]), epoch))).toEqual([true, false]);
  });

  it('is past beside the root, unless an older state is held from which commits could lead there', () => {
    expect(isPast(holding([ROOT, 5]), 5)).toBe(true);
    expect(isPast(holding([ROOT, 5], [PASSED, 4]), 5)).toBe(false);
  });
});
