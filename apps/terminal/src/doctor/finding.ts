/** `look`: works, but somebody should know. `skipped`: could not be looked at. */
export type Health = 'good' | 'look' | 'broken' | 'skipped';

export type Check =
  'node' | 'terminal' | 'servers' | 'name' | 'connection' | 'server' | 'pin' | 'clock' | 'store' | 'access' | 'disk' | 'session';

export interface Finding {
  readonly check: Check;
  readonly health: Health;
  readonly text: string;
  /** What to do. */
  readonly advice?: string;
}

const MARKS: Readonly<Record<Health, string>> = { good: '✓', look: '!', broken: '✗', skipped: '–' };

export function findingLine({ health, text, advice }: Finding): string {
  return `  ${MARKS[health]} ${text}${advice === undefined ? '' : `\n      ${advice}`}`;
}

export const good = (check: Check, text: string): Finding => ({ check, health: 'good', text });
export const look = (check: Check, text: string, advice?: string): Finding => found('look', check, text, advice);
export const broken = (check: Check, text: string, advice?: string): Finding => found('broken', check, text, advice);
export const skipped = (check: Check, text: string): Finding => ({ check, health: 'skipped', text });

function found(health: Health, check: Check, text: string, advice: string | undefined): Finding {
  return { check, health, text, ...(advice !== undefined && { advice }) };
}
