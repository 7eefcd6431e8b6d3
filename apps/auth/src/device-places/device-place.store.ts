/** A device that holds a credential, and with it one of the account's places. Ids are lower-case hex, times Unix seconds. */
export interface DevicePlace {
  device: string;
  /** Not confirmed by the account's identity key. */
  pending: boolean;
  /** When it last got a session. */
  seen: number;
  /** When the place falls free by itself. */
  expires: number;
}

/** How many places there are, and which of those that are held count: not expired, seen since, and not revoked. */
export interface PlaceTerms {
  places: number;
  since: number;
  revoked: readonly string[];
}

/**
 * Which devices an account has. Live state: what a wipe loses comes back as devices do.
 *
 * Guarantee: of all callers that take a place at once, over all replicas, no more get one than there are.
 */
export interface DevicePlaceStore {
  /** True: the device has a place, now or before; what is known of it is renewed. False: all places are held by others. Drops what does not count. */
  take(account: string, place: DevicePlace, terms: PlaceTerms): Promise<boolean>;
  /** Expired ones too. */
  list(account: string): Promise<DevicePlace[]>;
  forget(account: string): Promise<void>;
}

export const DEVICE_PLACE_STORE = Symbol('DEVICE_PLACE_STORE');

/** @param now Unix seconds. */
export function placeCounts({ device, seen, expires }: DevicePlace, { since, revoked }: Omit<PlaceTerms, 'places'>, now: number): boolean {
  return expires > now && seen >= since && !revoked.includes(device);
}
