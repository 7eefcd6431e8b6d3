import { REVOKE_LUA } from '@sotto/platform/live-state';
import { END_COUNTS_SECONDS, MOST_IN_LEDGER, MOST_SPENT } from './key-package.store.js';

/*
 * ARGV[1] is the prefix <p> of an account's keys. Revoking reaches into the devices' routes, so all keys live on one Redis (no cluster).
 *   <p>devices            set of device ids
 *   <p>one:<device>       sorted set: member = packed one-time package, score = its expiry (Unix seconds)
 *   <p>last:<device>      packed last-resort package
 *   <p>spent:<device>     sorted set: capability → expiry, of one-time packages handed out
 *   <p>low:<device>       there while the low-water mark was told
 *   <p>ledger:<claimer>   sorted set: capability .. device → expiry
 *   <p>ended:<claimer>    Unix milliseconds: takes by a right that is not newer are revoked
 *   <p>dead:<device>      capability of a last-resort package that is revoked
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
local function bytesOf(packed) return (#packed - 46) / 4 * 3 - #string.match(packed, '=*$') end
`;

/**
 * ARGV: prefix, now, device, bound, low water, bound of bytes, last resort ('' for none), packed...
 * → left, -1 above the bound, -2 above that of bytes.
 * The first line has Redis refuse it at maxmemory (OOM); a script without one is let through that writes anything small first.
 */
export const PUBLISH = `#!lua${SHARED}
local device, bound, water = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local one, spent, lastKey = p .. 'one:' .. device, p .. 'spent:' .. device, p .. 'last:' .. device
local last = ARGV[7] ~= '' and ARGV[7] or redis.call('GET', lastKey)
local bytes = last and bytesOf(last) or 0
redis.call('ZREMRANGEBYSCORE', one, '-inf', now)
redis.call('ZREMRANGEBYSCORE', spent, '-inf', now)
local seen = {}
for _, packed in ipairs(redis.call('ZRANGE', one, 0, -1)) do
  seen[string.sub(packed, 1, 32)] = true
  bytes = bytes + bytesOf(packed)
end
local fresh = {}
for i = 8, #ARGV do
  local capability = string.sub(ARGV[i], 1, 32)
  if not seen[capability] and not redis.call('ZSCORE', spent, capability) then
    seen[capability] = true
    fresh[#fresh + 1] = ARGV[i]
    bytes = bytes + bytesOf(ARGV[i])
  end
end
local left = redis.call('ZCARD', one) + #fresh
if left > bound then return -1 end
if bytes > tonumber(ARGV[6]) then return -2 end
local longest = now + 1
for _, packed in ipairs(fresh) do
  local expires = expiryOf(packed)
  redis.call('ZADD', one, expires, packed)
  if expires > longest then longest = expires end
end
if #fresh > 0 then keep(one, longest) end
if ARGV[7] ~= '' then
  local expires = expiryOf(ARGV[7])
  redis.call('SET', lastKey, ARGV[7], 'EX', math.max(1, expires - now))
  if expires > longest then longest = expires end
end
redis.call('SADD', p .. 'devices', device)
keep(p .. 'devices', longest)
if left > water then redis.call('DEL', p .. 'low:' .. device) end
return left
`;

const REVOKING = `${SHARED}${REVOKE_LUA}
local function kill(device, capability)
  local last = redis.call('GET', p .. 'last:' .. device)
  if last and string.sub(last, 1, 32) == capability then
    redis.call('SET', p .. 'dead:' .. device, capability, 'EX', math.max(1, expiryOf(last) - now))
  end
end
local ledger, ended = p .. 'ledger:' .. ARGV[3], p .. 'ended:' .. ARGV[3]
redis.call('ZREMRANGEBYSCORE', ledger, '-inf', now)
`;

/**
 * ARGV: prefix, now, claimer, suite (4 hex digits), device to leave out, low water, revoke 0|1, since (ms)
 * → rows of device, packed, last resort 0|1, left, ran low 0|1, revoked 0|1.
 */
export const TAKE = `${REVOKING}
local suite, water = ARGV[4], tonumber(ARGV[6])
local revoked = ARGV[7] == '1' or tonumber(redis.call('GET', ended) or '-1') >= tonumber(ARGV[8])
local function oneTime(device)
  local one = p .. 'one:' .. device
  redis.call('ZREMRANGEBYSCORE', one, '-inf', now)
  for _, packed in ipairs(redis.call('ZRANGE', one, 0, -1)) do
    if string.sub(packed, 33, 36) == suite then
      redis.call('ZREM', one, packed)
      redis.call('ZADD', p .. 'spent:' .. device, expiryOf(packed), string.sub(packed, 1, 32))
      redis.call('ZREMRANGEBYRANK', p .. 'spent:' .. device, 0, -${MOST_SPENT} - 1)
      keep(p .. 'spent:' .. device, expiryOf(packed))
      return packed
    end
  end
end
local function lastResort(device)
  local packed, dead = redis.call('GET', p .. 'last:' .. device), redis.call('GET', p .. 'dead:' .. device)
  if not packed or string.sub(packed, 33, 36) ~= suite or expiryOf(packed) <= now then return nil end
  if dead == string.sub(packed, 1, 32) and not revoked then return nil end
  return packed
end
local rows = {}
for _, device in ipairs(redis.call('SMEMBERS', p .. 'devices')) do
  local full = revoked and redis.call('ZCARD', 'revoked:' .. device) >= MOST_REVOKED
  if device ~= ARGV[5] and not full then
    local found, last = oneTime(device), 0
    if not found then found, last = lastResort(device), 1 end
    if found then
      local capability, expires = string.sub(found, 1, 32), expiryOf(found)
      redis.call('ZADD', ledger, expires, capability .. device)
      redis.call('ZREMRANGEBYRANK', ledger, 0, -${MOST_IN_LEDGER} - 1)
      keep(ledger, expires)
      if revoked then
        kill(device, capability)
        revoke(device, { capability, expires })
      end
      local left, ran = redis.call('ZCARD', p .. 'one:' .. device), 0
      if left <= water and redis.call('SET', p .. 'low:' .. device, '1', 'NX', 'EX', math.max(1, expires - now)) then ran = 1 end
      rows[#rows + 1] = { device, found, last, left, ran, revoked and 1 or 0 }
    end
  end
end
return rows
`;

/** ARGV: prefix, now, claimer, ended (ms), capabilities to keep... → capability .. device, ... */
export const REVOKE_TAKEN = `${REVOKING}
local latest = math.max(tonumber(ARGV[4]), tonumber(redis.call('GET', ended) or '0'))
redis.call('SET', ended, string.format('%.0f', latest), 'EX', ${END_COUNTS_SECONDS})
local kept, revoked, lists = {}, {}, {}
for i = 5, #ARGV do kept[ARGV[i]] = true end
local taken = redis.call('ZRANGE', ledger, 0, -1, 'WITHSCORES')
for i = 1, #taken, 2 do
  local capability, device = string.sub(taken[i], 1, 32), string.sub(taken[i], 33)
  if not kept[capability] then
    revoked[#revoked + 1] = taken[i]
    local list = lists[device] or {}
    lists[device] = list
    list[#list + 1] = capability
    list[#list + 1] = taken[i + 1]
    kill(device, capability)
  end
end
for device, list in pairs(lists) do revoke(device, list) end
return revoked
`;
