// What each service may touch in live state: its own keys and, of the others', what it has to read or change; and the commands for that.
// The spec connects as each user and sees the rest refused; the e2e tests run every service under its own user.
import { createHash } from 'node:crypto';

/** Health, and scripts: what a script does is checked as if its caller did it. */
const ALL = ['ping', 'info', 'eval', 'evalsha'];
/** Leases of others, with the clock that they end by. */
const LEASES = ['time', 'zrangebyscore'];
const OWN_LEASE = [...LEASES, 'zremrangebyscore', 'zadd', 'zrem', 'pexpire'];
/** rate-limiter-flexible. */
const LIMITS = ['set', 'incrby', 'pttl', 'del'];
const REVOKED = ['zadd', 'zrange', 'zremrangebyrank', 'expireat'];

const service = (name, { keys = [], reads = [], commands }) => ({
  name,
  keys,
  reads,
  commands: [...new Set([...ALL, ...commands.flat()])],
});

/** `keys` are read and written, `reads` only read. */
export const REDIS_USERS = [
  service('gateway', {
    keys: ['route:*', 'revoked:*', 'account-devices:*', 'gateway-devices:*', 'leases:gateway', 'rate:*'],
    reads: ['leases:relay'],
    commands: [OWN_LEASE, LIMITS, REVOKED, 'hmget', 'hgetall', 'hset', 'hdel', 'zrem', 'zremrangebyscore', 'pexpire'],
  }),
  service('auth', {
    keys: ['try:*', 'device-places:*', 'approvals:*', 'route:*', 'revoked:*', 'account-devices:*', 'gateway-devices:*'],
    reads: ['leases:gateway'],
    commands: [LEASES, LIMITS, 'hget', 'hmget', 'hgetall', 'hkeys', 'hlen', 'hexists', 'hset', 'hdel', 'expire', 'expireat'],
  }),
  service('contacts', {
    keys: ['presence:*', 'route:*', 'account-devices:*', 'gateway-devices:*'],
    reads: ['leases:gateway'],
    commands: [LEASES, 'set', 'mget', 'del', 'hgetall', 'hset', 'hdel', 'pexpire'],
  }),
  service('directory', {
    keys: ['key-packages:*', 'claims:*', 'route:*', 'revoked:*'],
    commands: [
      LIMITS,
      REVOKED,
      ['hget', 'hset', 'hgetall', 'get', 'getrange', 'ttl', 'expire', 'sadd', 'smembers'],
      ['zrem', 'zscore', 'zcard', 'zcount', 'zremrangebyscore'],
    ],
  }),
  service('relay', {
    keys: ['leases:relay', 'relay:*', 'slot:*', 'slot-claims:*'],
    reads: ['route:*', 'leases:gateway'],
    commands: [OWN_LEASE, LIMITS, 'hgetall', 'multi', 'exec', 'expire', 'set', 'get'],
  }),
];

function line({ name, keys, reads, commands }, password) {
  const hash = createHash('sha256').update(password).digest('hex');
  const patterns = [...keys.map((key) => `~${key}`), ...reads.map((key) => `%R~${key}`)];
  return `user ${name} reset on #${hash} resetchannels ${patterns.join(' ')} -@all ${commands.map((command) => `+${command}`).join(' ')}`;
}

/**
 * The users as redis.conf has them.
 * @param {Record<string, string>} passwords by user name.
 */
export function redisUsers(passwords) {
  return REDIS_USERS.map((user) => line(user, passwords[user.name])).join('\n');
}

/**
 * redis-server's configuration: nobody but the services' users, and nothing that reaches a disk.
 * @param {Record<string, string>} passwords by user name.
 */
export function redisConfig(passwords) {
  return `# Memory only: nothing reaches a disk.
save ""
appendonly no
user default off
${redisUsers(passwords)}
`;
}
