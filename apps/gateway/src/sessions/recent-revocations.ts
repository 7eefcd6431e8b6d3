import { Injectable } from '@nestjs/common';
import { TIMES, toHex } from '@sotto/protocol';
import type { SessionsRevoked } from '@sotto/protocol/internal';
import type { AttachedSession } from './attached-session.js';

/** Accounts in memory; beyond it the one revoked longest ago goes first, and is found by the next question to auth. */
const MAX_ACCOUNTS = 50_000;
/** Revocations of one account. */
const MAX_EACH = 64;
/** An access token may be shown so long after what it stands for was revoked; and clocks differ. */
const KEPT_MS = (TIMES.accessTokenSeconds + 60) * 1_000;

interface Revocation {
  /** Empty: all but `except`. Hex. */
  device: string;
  except: string;
  /** Unix seconds: sessions from then on are not meant. */
  validAfter: number;
}

/** What was revoked within the life of an access token, so that no token outlives it: neither one that is shown late nor one that is just being checked. */
@Injectable()
export class RecentRevocations {
  /** In the order of the last revocation. */
  private readonly accounts = new Map<string, { until: number; all: Revocation[] }>();

  add({ account, device, exceptDevice, validAfter }: SessionsRevoked, nowMs: number): void {
    const key = toHex(account);
    const all = this.accounts.get(key)?.all ?? [];
    all.push({ device: toHex(device), except: toHex(exceptDevice), validAfter: Number(validAfter) });
    this.accounts.delete(key);
    this.accounts.set(key, { until: nowMs + KEPT_MS, all: all.slice(-MAX_EACH) });
    for (const [oldest, { until }] of this.accounts) {
      if (until > nowMs && this.accounts.size <= MAX_ACCOUNTS) break;
      this.accounts.delete(oldest);
    }
  }

  /** Whether the session is of those that were revoked. */
  cover({ account, device, since }: Pick<AttachedSession, 'account' | 'device' | 'since'>): boolean {
    const all = this.accounts.get(account)?.all ?? [];
    return all.some((one) => (one.device === '' ? one.except !== device && since < one.validAfter : one.device === device));
  }
}
