import { describe, it } from '@jest/globals';
import { describeThoroughly, itThoroughly } from '@sotto/testing/thoroughly';
import type { TopologyKind } from '../harness/dist/index.js';

const BOTH: readonly TopologyKind[] = ['standalone', 'services'];

/**
 * For what clients do among themselves, to whom one server is as good as the other: on this kind, and thoroughly on both. `%s` in the name is
 * the kind.
 */
export function describeMainlyOn(main: TopologyKind) {
  return (name: string, stories: (kind: TopologyKind) => void): void => {
    for (const kind of BOTH) (kind === main ? describe : describeThoroughly)(name.replace('%s', kind), () => stories(kind));
  };
}

/** The same for one test of a suite that runs on both: what defines it on that kind. */
export function itMainlyOn(main: TopologyKind, kind: TopologyKind): typeof it {
  return kind === main ? it : itThoroughly;
}
