/*
 * All keys of an account share the hash tag {account}, so that they stand in one slot; ARGV[1] is their prefix.
 *   <p>devices            set of device ids
 *   <p>one:<device>       sorted set: member = packed one-time package, score = its expiry (Unix seconds)
 *   <p>last:<device>      packed last-resort package
 *   <p>spent:<device>     sorted set: capability → expiry, of one-time packages handed out
 *   <p>low:<device>       there while the low-water mark was told
 *   <p>ledger:<claimer>   sorted set: capability → expiry
 * A packed package: capability (32 hex digits), suite (4 hex digits), expiry (10 digits), the package in base64.
 * Every key ends with the package that lives longest in it.
 */
const SHARED = `
local p, now = ARGV[1], tonumber(ARGV[2])
local function keep(key, expires)
  local ttl = redis.call('TTL', key)
  if ttl < expires - now then redis.call('EXPIRE', key, math.max(1, expires - now)) end
end
local function expiryOf(packed) return tonumber(string.sub(packed, 37, 46)) end
`;

/** ARGV: prefix, now, device, bound, low water, last resort ('' for none), packed... → left, or -1 above the bound. */
export const PUBLISH = `${SHARED}
local device, bound, water = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local one, spent = p .. 'one:' .. device, p .. 'spent:' .. device
redis.call('ZREMRANGEBYSCORE', one, '-inf', now)
redis.call('ZREMRANGEBYSCORE', spent, '-inf', now)
local seen = {}
for _, packed in ipairs(redis.call('ZRANGE', one, 0, -1)) do seen[string.sub(packed, 1, 32)] = true end
local fresh = {}
for i = 7, #ARGV do
  local capability = string.sub(ARGV[i], 1, 32)
  if not seen[capability] and not redis.call('ZSCORE', spent, capability) then
    seen[capability] = true
    fresh[#fresh + 1] = ARGV[i]
  end
end
local left = redis.call('ZCARD', one) + #fresh
if left > bound then return -1 end
local longest = now + 1
for _, packed in ipairs(fresh) do
  local expires = expiryOf(packed)
  redis.call('ZADD', one, expires, packed)
  if expires > longest then longest = expires end
end
if #fresh > 0 then keep(one, longest) end
if ARGV[6] ~= '' then
  local expires = expiryOf(ARGV[6])
  redis.call('SET', p .. 'last:' .. device, ARGV[6], 'EX', math.max(1, expires - now))
  if expires > longest then longest = expires end
end
redis.call('SADD', p .. 'devices', device)
keep(p .. 'devices', longest)
if left > water then redis.call('DEL', p .. 'low:' .. device) end
return left
`;

/** ARGV: prefix, now, claimer, suite (4 hex digits), device to leave out, low water → rows of device, packed, last resort 0|1, left, ran low 0|1. */
export const TAKE = `${SHARED}
local ledger, suite, water = p .. 'ledger:' .. ARGV[3], ARGV[4], tonumber(ARGV[6])
redis.call('ZREMRANGEBYSCORE', ledger, '-inf', now)
local rows = {}
for _, device in ipairs(redis.call('SMEMBERS', p .. 'devices')) do
  if device ~= ARGV[5] then
    local one = p .. 'one:' .. device
    redis.call('ZREMRANGEBYSCORE', one, '-inf', now)
    local found, last = false, 0
    for _, packed in ipairs(redis.call('ZRANGE', one, 0, -1)) do
      if string.sub(packed, 33, 36) == suite then found = packed break end
    end
    if found then
      redis.call('ZREM', one, found)
      redis.call('ZADD', p .. 'spent:' .. device, expiryOf(found), string.sub(found, 1, 32))
      keep(p .. 'spent:' .. device, expiryOf(found))
    else
      last = 1
      found = redis.call('GET', p .. 'last:' .. device)
      if found and (string.sub(found, 33, 36) ~= suite or expiryOf(found) <= now) then found = false end
    end
    if found then
      redis.call('ZADD', ledger, expiryOf(found), string.sub(found, 1, 32))
      keep(ledger, expiryOf(found))
      local left, ran = redis.call('ZCARD', one), 0
      if left <= water and redis.call('SET', p .. 'low:' .. device, '1', 'NX', 'EX', math.max(1, expiryOf(found) - now)) then ran = 1 end
      rows[#rows + 1] = { device, found, last, left, ran }
    end
  end
end
return rows
`;
