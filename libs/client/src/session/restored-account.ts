import type { ArchivedAccount } from '../archive/archive-record.js';

/** The account that an archive was of, until the device that was made from it has logged in. */
export type RestoredAccount = ArchivedAccount;

/** Its key in the collection `session`. */
export const RESTORED = 'restored';
