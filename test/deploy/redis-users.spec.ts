import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type RunningServer, startRedis } from '@sotto/testing';
import { REDIS_USERS, redisConfig } from '../../deploy/redis-users.mjs';
import { diskSettingsOf, NOTHING_ON_DISK, SETTINGS_READER } from './redis-settings.js';

const USERS = ['gateway', 'auth', 'contacts', 'directory', 'relay'];
const passwords = Object.fromEntries(USERS.map((name) => [name, `password-of-${name}`]));

type Command = [name: string, ...args: string[]];

interface Right {
  key: string;
  /** A command that reads it and one that changes it, as the stores use them. */
  read: Command;
  write: Command;
  readers: string[];
  writers: string[];
}

const right = (key: string, read: Command, write: Command, users: { readers?: string[]; writers: string[] }): Right => ({
  key,
  read,
  write,
  writers: users.writers,
  readers: [...users.writers, ...(users.readers ?? [])],
});

const RIGHTS: Right[] = [
  right('route:phone', ['hgetall', 'route:phone'], ['hset', 'route:phone', 'gateway', '0'], {
    writers: ['gateway', 'auth', 'contacts', 'directory'],
    readers: ['relay'],
  }),
  right('revoked:phone', ['zrange', 'revoked:phone', '0', '-1'], ['zadd', 'revoked:phone', '1', 'c'], {
    writers: ['gateway', 'directory'],
  }),
  right('account-devices:alice', ['hgetall', 'account-devices:alice'], ['hdel', 'account-devices:alice', 'phone'], {
    writers: ['gateway', 'auth', 'contacts'],
  }),
  right('gateway-devices:7', ['hgetall', 'gateway-devices:7'], ['hdel', 'gateway-devices:7', 'phone'], {
    writers: ['gateway', 'auth', 'contacts'],
  }),
  right('leases:gateway', ['zrangebyscore', 'leases:gateway', '-inf', '+inf'], ['zadd', 'leases:gateway', '1', '7'], {
    writers: ['gateway'],
    readers: ['auth', 'contacts', 'relay'],
  }),
  right('leases:relay', ['zrangebyscore', 'leases:relay', '-inf', '+inf'], ['zadd', 'leases:relay', '1', '7'], {
    writers: ['relay'],
    readers: ['gateway'],
  }),
  right('rate:1:account:alice', ['pttl', 'rate:1:account:alice'], ['incrby', 'rate:1:account:alice', '1'], { writers: ['gateway'] }),
  right('try:name:x', ['pttl', 'try:name:x'], ['incrby', 'try:name:x', '1'], { writers: ['auth'] }),
  right('device-places:alice', ['hgetall', 'device-places:alice'], ['hset', 'device-places:alice', 'phone', '1:2:0'], {
    writers: ['auth'],
  }),
  right('approvals:alice', ['hgetall', 'approvals:alice'], ['hset', 'approvals:alice', 'phone', '{}'], { writers: ['auth'] }),
  right('presence:alice', ['del', 'presence:alice'], ['set', 'presence:alice', '1'], { writers: ['contacts'] }),
  right('key-packages:{alice}:devices', ['smembers', 'key-packages:{alice}:devices'], ['sadd', 'key-packages:{alice}:devices', 'phone'], {
    writers: ['directory'],
  }),
  right('claims:caller:alice', ['pttl', 'claims:caller:alice'], ['incrby', 'claims:caller:alice', '1'], { writers: ['directory'] }),
  right('relay:retry-timers', ['zrangebyscore', 'relay:retry-timers', '-inf', '0'], ['zadd', 'relay:retry-timers', '1', 'timer'], {
    writers: ['relay'],
  }),
  right('slot:x', ['get', 'slot:x'], ['set', 'slot:x', 'commit'], { writers: ['relay'] }),
  right('slot-claims:alice', ['pttl', 'slot-claims:alice'], ['incrby', 'slot-claims:alice', '1'], { writers: ['relay'] }),
  right('elsewhere', ['get', 'elsewhere'], ['set', 'elsewhere', '1'], { writers: [] }),
];

/** Looking around, stopping, changing, keeping, listening: nobody's business. */
const NOBODY: Command[] = [
  ['keys', '*'],
  ['scan', '0'],
  ['dbsize'],
  ['randomkey'],
  ['flushall'],
  ['flushdb'],
  ['config', 'get', '*'],
  ['config', 'set', 'save', '1 1'],
  ['save'],
  ['bgsave'],
  ['bgrewriteaof'],
  ['shutdown'],
  ['debug', 'sleep', '0'],
  ['monitor'],
  ['acl', 'list'],
  ['acl', 'setuser', 'mallory', 'on', 'nopass', '~*', '+@all'],
  ['client', 'list'],
  ['client', 'kill', 'id', '1'],
  ['script', 'flush'],
  ['function', 'list'],
  ['module', 'list'],
  ['replicaof', '192.0.2.1', '6379'],
  ['subscribe', 'anything'],
  ['publish', 'anything', 'x'],
  ['rename', 'route:phone', 'elsewhere'],
  ['copy', 'route:phone', 'route:other'],
  ['dump', 'route:phone'],
  ['migrate', '192.0.2.1', '6379', 'route:phone', '0', '10'],
  ['select', '1'],
];

describe("live state's users", () => {
  let server: RunningServer;
  const connections: Redis[] = [];

  function connectAs(username: string | undefined, password: string | undefined): Redis {
    const redis = new Redis({
      port: server.port,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      lazyConnect: true,
      protocol: 2,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      disconnectTimeout: 100,
    });
    redis.on('error', () => undefined);
    connections.push(redis);
    return redis;
  }

  /** A script is told in other words than its caller, and DEBUG is switched off for all. */
  const isRefused = (redis: Redis, [name, ...args]: Command): Promise<boolean> =>
    redis.call(name, ...args).then(
      () => false,
      (error: Error) => {
        if (/^NOPERM|user executing the script can't|^ERR DEBUG command not allowed/.test(error.message)) return true;
        throw error;
      },
    );

  beforeAll(async () => {
    server = await startRedis({ config: `${redisConfig(passwords)}\n${SETTINGS_READER}`, isWhole: true });
  });
  afterAll(async () => {
    for (const redis of connections) redis.disconnect();
    await server.stop();
  });

  it('are those whose rights are stated here', () => {
    expect(REDIS_USERS.map(({ name }) => name).sort()).toEqual([...USERS].sort());
    const stated = RIGHTS.map(({ key }) => key.split(/[:{]/)[0]);
    for (const pattern of REDIS_USERS.flatMap(({ keys, reads }) => [...keys, ...reads])) expect(stated).toContain(pattern.split(':')[0]);
  });

  it.each(USERS)('%s reads and changes its own keys, and is refused all others, in scripts too', async (user) => {
    const redis = connectAs(user, passwords[user]);
    const seen: [string, boolean, boolean][] = [];
    const inScript = (command: Command): Command => ['eval', 'return redis.call(unpack(ARGV))', '0', ...command];
    for (const { key, read, write } of RIGHTS) {
      const [reads, writes] = [!(await isRefused(redis, read)), !(await isRefused(redis, write))];
      seen.push([key, reads, writes]);
      expect([key, await isRefused(redis, inScript(read)), await isRefused(redis, inScript(write))]).toEqual([key, !reads, !writes]);
    }
    expect(seen).toEqual(RIGHTS.map(({ key, readers, writers }) => [key, readers.includes(user), writers.includes(user)]));
  });

  it.each(USERS)('%s neither looks around, nor stops, changes, keeps or listens to anything', async (user) => {
    const redis = connectAs(user, passwords[user]);
    const allowed: Command[] = [];
    for (const command of NOBODY) if (!(await isRefused(redis, command))) allowed.push(command);
    expect(allowed).toEqual([]);
    expect(await redis.ping()).toBe('PONG');
  });

  it('are nobody without a password, with another one, or as the user that Redis comes with', async () => {
    for (const [user, password] of [
      [undefined, undefined],
      ['gateway', passwords.auth],
      ['default', ''],
      ['default', passwords.gateway],
    ] as const) {
      const redis = connectAs(user, password);
      await expect(redis.connect().then(() => redis.ping())).rejects.toThrow(/NOAUTH|WRONGPASS|closed/i);
    }
  });

  it('stand in the configuration without their passwords', () => {
    const config = redisConfig(passwords);
    for (const password of Object.values(passwords)) expect(config).not.toContain(password);
  });

  it('have a Redis that keeps nothing on disk', async () => {
    expect(await diskSettingsOf(server.port)).toEqual(NOTHING_ON_DISK);
  });
});
