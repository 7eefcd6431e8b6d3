import type { Redis } from 'ioredis';
import { ATTACH_ROUTE, DETACH_ROUTE, FORGET_DEVICE, PUT_BACK_ROUTE, REVOKE_CAPABILITIES, TAKE_DEVICES_OF } from './device-route.lua.js';
import type { ConnectedDevice, DeviceRoute, DeviceRouteStore, RevokedCapability } from './device-route.store.js';
import { LuaScript } from './lua-script.js';

type Attached = [replaced: [string, string] | null, revoked: string[]];

const attach = new LuaScript<Attached>(ATTACH_ROUTE);
const putBack = new LuaScript<Attached | null>(PUT_BACK_ROUTE);
const revoke = new LuaScript<number>(REVOKE_CAPABILITIES);
const detach = new LuaScript<number>(DETACH_ROUTE);
const takeDevicesOf = new LuaScript<string[]>(TAKE_DEVICES_OF);
const forget = new LuaScript<number>(FORGET_DEVICE);

export class RedisDeviceRouteStore implements DeviceRouteStore {
  constructor(private readonly redis: Redis) {}

  async attach(route: DeviceRoute): Promise<{ replaced: { gateway: number; connection: number } | undefined; revoked: string[] }> {
    const [replaced, revoked] = await attach.run(this.redis, [], attachArguments(route));
    return { replaced: replaced === null ? undefined : { gateway: Number(replaced[0]), connection: Number(replaced[1]) }, revoked };
  }

  async putBack(route: DeviceRoute): Promise<'was-there' | 'put-back' | 'elsewhere'> {
    const attached = await putBack.run(this.redis, [], attachArguments(route));
    if (attached === null) return 'elsewhere';
    return attached[0] === null ? 'put-back' : 'was-there';
  }

  async revoke(device: string, revoked: readonly RevokedCapability[]): Promise<void> {
    if (revoked.length > 0)
      await revoke.run(this.redis, [], [device, ...revoked.flatMap(({ capability, expires }) => [capability, expires])]);
  }

  async detach(device: string, gateway: number, connection: number, retentionMs: number): Promise<boolean> {
    return (await detach.run(this.redis, [], [device, gateway, connection, retentionMs])) === 1;
  }

  async find(device: string): Promise<DeviceRoute | undefined> {
    const fields = await this.redis.hgetallBuffer(`route:${device}`);
    const { account, gateway, connection, key, revoked, invisible } = fields;
    if (account === undefined || key === undefined) return undefined;
    return {
      device,
      account: account.toString(),
      gateway: Number(gateway),
      connection: Number(connection),
      deliveryKey: new Uint8Array(key),
      revokedCapabilities: new Uint8Array(revoked ?? []),
      invisible: invisible?.toString() === '1',
    };
  }

  async connectedDevices(account: string): Promise<ConnectedDevice[]> {
    return devicesIn(await this.redis.hgetall(`account-devices:${account}`));
  }

  /** One round trip: the commands of one turn of the event loop share a pipeline. */
  async connectedDevicesOf(accounts: string[]): Promise<Map<string, ConnectedDevice[]>> {
    const found = await Promise.all(accounts.map(async (account) => [account, await this.connectedDevices(account)] as const));
    return new Map(found.filter(([, devices]) => devices.length > 0));
  }

  async takeDevicesOf(gateway: number, retentionMs: number): Promise<{ device: string; account: string }[]> {
    const flat = await takeDevicesOf.run(this.redis, [], [gateway, retentionMs]);
    const taken: { device: string; account: string }[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) taken.push({ device: flat[i]!, account: flat[i + 1]! });
    return taken;
  }

  async forget(device: string): Promise<void> {
    await forget.run(this.redis, [], [device]);
  }
}

function attachArguments(route: DeviceRoute): (string | number | Uint8Array)[] {
  const { device, account, gateway, connection, deliveryKey, revokedCapabilities, invisible } = route;
  return [device, account, gateway, connection, deliveryKey, revokedCapabilities, invisible ? 1 : 0, Math.floor(Date.now() / 1_000)];
}

function devicesIn(fields: Record<string, string>): ConnectedDevice[] {
  return Object.entries(fields).map(([device, value]) => {
    const [gateway, connection, invisible] = value.split(':');
    return { device, gateway: Number(gateway), connection: Number(connection), invisible: invisible === '1' };
  });
}
