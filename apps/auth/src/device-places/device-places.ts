import { Inject, Injectable, Logger } from '@nestjs/common';
import { ErrorCode, LIMITS, TIMES } from '@sotto/protocol';
import { RpcError } from '@sotto/platform/rpc';
import type { Account } from '../accounts/accounts.store.js';
import { DEVICE_PLACE_STORE, type DevicePlace, type DevicePlaceStore, placeCounts } from './device-place.store.js';

/** A device that nobody confirms gives its place back after this. */
const PENDING_SECONDS = 24 * 3_600;
const CONFIRMED_SECONDS = TIMES.credentialLifetimeDays * 24 * 3_600;

interface PlaceOf {
  /** Hex. */
  readonly id: string;
  readonly pending: boolean;
  /** It was none of the account's, or pending, before. */
  readonly becomesConfirmed?: boolean;
}

/** Every session belongs to a device that has one of the account's places. Times are Unix seconds. */
@Injectable()
export class DevicePlaces {
  private readonly logger = new Logger(DevicePlaces.name);

  constructor(@Inject(DEVICE_PLACE_STORE) private readonly store: DevicePlaceStore) {}

  /**
   * A pending device, and one that becomes a confirmed one, needs a free place or its own: throws RpcError LIMIT_REACHED. A confirmed one had its
   * place when it was let in; it goes on whatever became of live state since. Throws UNAVAILABLE for a pending one while live state is away.
   */
  async hold(account: Account, { id, pending, becomesConfirmed = false }: PlaceOf, now: number): Promise<void> {
    const terms = termsOf(account);
    const place = { device: id, pending, seen: Math.max(now, terms.since), expires: now + (pending ? PENDING_SECONDS : CONFIRMED_SECONDS) };
    const places = pending || becomesConfirmed ? LIMITS.devicesPerAccount : Number.MAX_SAFE_INTEGER;
    const held = await this.store.take(account.id, place, { ...terms, places }).catch(() => {
      if (pending) throw new RpcError(ErrorCode.UNAVAILABLE, 'The server is not ready. Try again soon.', 1_000);
      this.logger.warn('a device could not be counted: live state is away');
      return true;
    });
    if (!held) throw noPlace();
  }

  async list(account: Account, now: number): Promise<DevicePlace[]> {
    const terms = termsOf(account);
    return (await this.store.list(account.id)).filter((place) => placeCounts(place, terms, now));
  }

  /** The device that was away longest, of those that are not `connected`; undefined while a place is free, or when all are connected. */
  async longestAwayIfFull(account: Account, connected: ReadonlySet<string>, now: number): Promise<string | undefined> {
    const places = await this.list(account, now);
    if (places.length < LIMITS.devicesPerAccount) return undefined;
    const away = places.filter(({ device }) => !connected.has(device)).sort((one, other) => one.seen - other.seen);
    return away[0]?.device;
  }
}

function termsOf({ sessionsValidAfter, revokedDevices }: Account): { since: number; revoked: string[] } {
  return { since: sessionsValidAfter, revoked: [...revokedDevices.keys()] };
}

function noPlace(): RpcError {
  const most = LIMITS.devicesPerAccount;
  const text = `This account has ${most} devices, as many as there may be. Revoke one on another of them, or log in in place of the one away longest.`;
  return new RpcError(ErrorCode.LIMIT_REACHED, text);
}
