/** Everything that may go wrong around the devices. A fault that never happened has not been tested. */
export const FAULTS = [
  'frame-lost',
  'frame-twice',
  'frame-late',
  'offline',
  'relay-crash',
  'relay-dies-after-claim',
  'relay-busy',
  'slots-wiped',
  'kept-apart',
  'packages-lost',
  'presence-lost',
  'invisible',
  'claim-lost',
  'clock-skewed',
  'crash-before-commit',
  'crash-after-commit',
  'crash-between-effects',
  'restarted',
  'restarted-from-old-copy',
  'died',
  'removed-back',
  'token-revoked',
  'last-resort-package',
  'hostile-commit',
  'hostile-commit-on-old-epoch',
  'hostile-after-removal',
  'hostile-removal',
  'hostile-sibling',
  'hostile-slot',
  'hostile-junk',
  'hostile-withheld',
  'hostile-partial-commit',
  'hostile-false-stored',
  'hostile-false-cannot',
  'hostile-lying-hello',
] as const;
export type Fault = (typeof FAULTS)[number];

/** How often each thing happened. */
export class Counters {
  readonly #counts = new Map<string, number>();

  count(name: string, times = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + times);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  entries(): [string, number][] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
