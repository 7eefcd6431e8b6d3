import { ClientError } from '../client-error.js';
import type { Journal } from '../storage/journal.js';
import { decodeRecord } from '../storage/record.js';
import type { Store } from '../storage/store.js';

const SETTINGS = 'settings';
const MOST_RETENTION_DAYS = 36_500;

/** What the user chose for this device. */
export interface Settings {
  /** Tell authors what was read here. Off unless the user wants it. */
  readonly readReceipts: boolean;
  /** Messages that came longer ago are removed from this device; undefined: never. */
  readonly retentionDays: number | undefined;
  /**
   * Contacts are not told that this device is there: its account seems to be away when no other device of it is seen. Whoever sends to it still
   * gets receipts.
   */
  readonly invisible: boolean;
}

export const DEFAULT_SETTINGS: Settings = { readReceipts: false, retentionDays: undefined, invisible: false };

export async function loadSettings(store: Store): Promise<Settings> {
  const stored = (await store.get(SETTINGS, [SETTINGS])).get(SETTINGS);
  return stored === undefined ? DEFAULT_SETTINGS : { ...DEFAULT_SETTINGS, ...decodeRecord<Partial<Settings>>(stored) };
}

/** Throws ClientError `not-allowed`. */
export function checkSettings({ retentionDays }: Settings): void {
  if (retentionDays === undefined) return;
  if (!Number.isInteger(retentionDays) || retentionDays < 1 || retentionDays > MOST_RETENTION_DAYS)
    throw new ClientError('not-allowed', `messages are kept for 1 to ${MOST_RETENTION_DAYS} days, or for good`);
}

export function keepSettings(settings: Settings, journal: Journal): void {
  journal.put(SETTINGS, SETTINGS, settings);
}
