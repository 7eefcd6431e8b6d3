import type { Account } from '../accounts/accounts.store.js';

/** Whether what was issued to this device at `since` (Unix seconds) counts no more. */
export function isSessionOver(account: Account, session: { device: string; since: number }): boolean {
  return account.deleted || account.disabled || session.since < account.sessionsValidAfter || account.revokedDevices.has(session.device);
}
