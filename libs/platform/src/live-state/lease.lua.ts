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

/** ARGV: leases:<kind>. The members that stand. For those who may only read: a key in KEYS counts as one that the script writes. */
export const ALIVE_LEASES = `${NOW}
return redis.call('ZRANGEBYSCORE', ARGV[1], '(' .. string.format('%.0f', now), '+inf')
`;
