import type { TopologyKind } from '../harness/dist/index.js';

const BOTH: readonly TopologyKind[] = ['standalone', 'services'];

/** For what clients do among themselves, to whom one server is as good as the other: on this kind, and with THOROUGH on both. */
export function mainlyOn(kind: TopologyKind): readonly TopologyKind[] {
  return process.env['THOROUGH'] === '1' ? BOTH : [kind];
}
