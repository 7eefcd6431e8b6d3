import { LuaScript } from '@sotto/platform/live-state';
import type { Redis } from 'ioredis';
import { TAKE_PLACE } from './device-place.lua.js';
import type { DevicePlace, DevicePlaceStore, PlaceTerms } from './device-place.store.js';

const take = new LuaScript<number>(TAKE_PLACE);

/** DevicePlaceStore of all replicas. */
export class RedisDevicePlaceStore implements DevicePlaceStore {
  constructor(private readonly redis: Redis) {}

  async take(account: string, place: DevicePlace, { places, since, revoked }: PlaceTerms): Promise<boolean> {
    const { device, seen, expires, pending } = place;
    const args = [device, seen, expires, pending ? 1 : 0, places, since, ...revoked];
    return (await take.run(this.redis, [keyOf(account)], args)) === 1;
  }

  async list(account: string): Promise<DevicePlace[]> {
    const fields = await this.redis.hgetall(keyOf(account));
    return Object.entries(fields).map(([device, value]) => {
      const [seen, expires, pending] = value.split(':');
      return { device, seen: Number(seen), expires: Number(expires), pending: pending === '1' };
    });
  }

  async forget(account: string): Promise<void> {
    await this.redis.del(keyOf(account));
  }
}

function keyOf(account: string): string {
  return `device-places:${account}`;
}
