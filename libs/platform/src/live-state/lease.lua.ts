/*
 * A kind's leases are one sorted set, member = incarnation, score = when the lease ends by Redis's own clock (ms).
 * KEYS: leases:<kind>   ARGV: incarnation, ttl (ms)
 */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;
const PRUNE = `${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
`;

/** 1: claimed, 0: taken. */
export const CLAIM_LEASE = `${PRUNE}
local claimed = redis.call('ZADD', KEYS[1], 'NX', now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], 86400000)
return claimed
`;

/** 1: it stood, 0: it was gone (and is back). */
export const RENEW_LEASE = `${PRUNE}
local added = redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], 86400000)
return 1 - added
`;

/** For scripts of those who may only read leases, and name none among their KEYS, which count as written: standing('leases:<kind>') → its members. */
export const STANDING = `${NOW}
local function standing(leases)
  return redis.call('ZRANGEBYSCORE', leases, '(' .. string.format('%.0f', now), '+inf')
end
`;

/** ARGV: leases:<kind>. */
export const ALIVE_LEASES = `${STANDING}
return standing(ARGV[1])
`;
