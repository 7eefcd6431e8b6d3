import { LIMITS, TIMES } from '@sotto/protocol';
import * as z from 'zod';

/** What contacts reads from the environment. */
export const contactsConfigSchema = z.object({
  /** How long an account may be away before its contacts are told. Milliseconds. */
  PRESENCE_DAMPING_MS: z.coerce.number().int().min(0).max(60_000).default(3_000),
  /** Seconds; routes of devices that a dead gateway left behind are kept for it. */
  RELAY_RETRY_WINDOW: z.coerce.number().int().min(0).max(TIMES.retryWindowMaxSeconds).default(TIMES.retryWindowDefaultSeconds),
});

export type ContactsConfig = z.output<typeof contactsConfigSchema>;
export const CONTACTS_CONFIG = Symbol('CONTACTS_CONFIG');

/** Bounds of a contact list. */
export interface ContactLimits {
  contactsPerAccount: number;
  openRequestsPerAccount: number;
}

export const CONTACT_LIMITS: ContactLimits = LIMITS;
/** A request that nobody answered is over after this. Milliseconds. */
export const REQUEST_LIFETIME_MS = TIMES.requestLifetimeDays * 24 * 3_600 * 1_000;
/** How long it is remembered that somebody was a contact. Milliseconds. */
export const FORMER_LIFETIME_MS = 366 * 24 * 3_600 * 1_000;
