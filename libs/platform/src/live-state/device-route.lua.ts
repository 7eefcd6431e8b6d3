import { LIMITS } from '@sotto/protocol';
import { STANDING } from './lease.lua.js';

/*
 * route:<device>             hash: account, gateway, connection, key, revoked (16 bytes each), invisible
 * revoked:<device>           sorted set: capability (32 hex digits) → its expiry (Unix seconds), of those that the device does not name itself
 * account-devices:<account>  hash: device → "<gateway>:<connection>:<invisible>", connected devices only
 * gateway-devices:<gateway>  hash: device → account, connected devices only
 *
 * Nothing is refreshed per connection, so a connected device's keys live for 30 days: longer than a connection does (apps/gateway/src/connections/patience.ts).
 * The scripts derive the keys of the route that they find, so all keys live on one Redis (no cluster).
 */
const UNLINK = `
local CONNECTED_MS = 2592000000
local function unlink(device, account, gateway)
  redis.call('HDEL', 'account-devices:' .. account, device)
  redis.call('HDEL', 'gateway-devices:' .. gateway, device)
end
local function leave(device, account, gateway, retention)
  unlink(device, account, gateway)
  redis.call('HSET', 'route:' .. device, 'gateway', '0', 'connection', '0')
  redis.call('PEXPIRE', 'route:' .. device, retention)
end
`;

const REVOKED_IDS = `
local function idOf(capability)
  return (string.gsub(capability, '%x%x', function(digits) return string.char(tonumber(digits, 16)) end))
end
local function idsIn(revoked)
  local ids = {}
  for at = 1, #revoked, 16 do ids[string.sub(revoked, at, at + 15)] = true end
  return ids
end
`;

/** For scripts in which a revocation is part of the step: revoke(device, { capability (hex), expires (Unix seconds), capability, expires, … }). */
export const REVOKE = `${REVOKED_IDS}
local MOST_REVOKED = ${LIMITS.revokedCapabilities}
local function revoke(device, list)
  local key, route = 'revoked:' .. device, 'route:' .. device
  for i = 1, #list, 2 do redis.call('ZADD', key, list[i + 1], list[i]) end
  redis.call('ZREMRANGEBYRANK', key, 0, -MOST_REVOKED - 1)
  redis.call('EXPIREAT', key, redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2])
  local revoked = redis.call('HGET', route, 'revoked')
  if not revoked then return end
  local named = idsIn(revoked)
  for i = 1, #list, 2 do
    local id = idOf(list[i])
    if not named[id] then revoked = revoked .. id end
  end
  -- Twice: what the device named and as much again. The oldest stand in front.
  redis.call('HSET', route, 'revoked', string.sub(revoked, -2 * MOST_REVOKED * 16))
end
`;

/** ARGV: device, then capability, expires, capability, expires, … (one at least). */
export const REVOKE_CAPABILITIES = `${REVOKE}
local list = {}
for i = 2, #ARGV do list[i - 1] = ARGV[i] end
revoke(ARGV[1], list)
return 1
`;

/**
 * ARGV: device, account, gateway, connection, key, revoked, invisible, now (Unix seconds).
 * Returns [gateway, connection] of the connected route that it replaced or nil, and the capabilities that were added.
 */
export const ATTACH_ROUTE = `${UNLINK}${REVOKED_IDS}
local key, revokedKey, revoked = 'route:' .. ARGV[1], 'revoked:' .. ARGV[1], ARGV[6]
local old = redis.call('HMGET', key, 'account', 'gateway', 'connection')
local replaced = false
if old[1] and old[2] ~= '0' then
  unlink(ARGV[1], old[1], old[2])
  replaced = { old[2], old[3] }
end
local added = {}
redis.call('ZREMRANGEBYSCORE', revokedKey, '-inf', ARGV[8])
local ours = redis.call('ZRANGE', revokedKey, 0, -1)
local named = #ours > 0 and idsIn(revoked) or {}
for _, capability in ipairs(ours) do
  if named[idOf(capability)] then
    redis.call('ZREM', revokedKey, capability)
  else
    added[#added + 1] = capability
    revoked = revoked .. idOf(capability)
  end
end
redis.call('HSET', key, 'account', ARGV[2], 'gateway', ARGV[3], 'connection', ARGV[4], 'key', ARGV[5], 'revoked', revoked, 'invisible', ARGV[7])
redis.call('HSET', 'account-devices:' .. ARGV[2], ARGV[1], ARGV[3] .. ':' .. ARGV[4] .. ':' .. ARGV[7])
redis.call('HSET', 'gateway-devices:' .. ARGV[3], ARGV[1], ARGV[2])
redis.call('PEXPIRE', key, CONNECTED_MS)
redis.call('PEXPIRE', 'account-devices:' .. ARGV[2], CONNECTED_MS)
redis.call('PEXPIRE', 'gateway-devices:' .. ARGV[3], CONNECTED_MS)
return { replaced, added }
`;

/** ARGV and return value as of ATTACH_ROUTE, or nil: the device is at another connection, and nothing has changed. */
export const PUT_BACK_ROUTE = `
local there = redis.call('HMGET', 'route:' .. ARGV[1], 'gateway', 'connection')
if there[1] and there[1] ~= '0' and (there[1] ~= ARGV[3] or there[2] ~= ARGV[4]) then return nil end
${ATTACH_ROUTE}`;

/** ARGV: device, gateway, connection, retention (ms). 1: it was there. */
export const DETACH_ROUTE = `${UNLINK}
local old = redis.call('HMGET', 'route:' .. ARGV[1], 'account', 'gateway', 'connection')
if not old[1] or old[2] == '0' or old[2] ~= ARGV[2] or old[3] ~= ARGV[3] then return 0 end
leave(ARGV[1], old[1], old[2], ARGV[4])
return 1
`;

/** ARGV: gateway, retention (ms). Returns device, account, device, account, …; nothing of a gateway whose lease stands. */
export const TAKE_DEVICES_OF = `${UNLINK}${STANDING}
for _, gateway in ipairs(standing('leases:gateway')) do
  if gateway == ARGV[1] then return {} end
end
local devices = redis.call('HGETALL', 'gateway-devices:' .. ARGV[1])
for i = 1, #devices, 2 do
  leave(devices[i], devices[i + 1], ARGV[1], ARGV[2])
end
return devices
`;

/** ARGV: device. */
export const FORGET_DEVICE = `${UNLINK}
local old = redis.call('HMGET', 'route:' .. ARGV[1], 'account', 'gateway')
if old[1] then unlink(ARGV[1], old[1], old[2]) end
redis.call('DEL', 'revoked:' .. ARGV[1])
return redis.call('DEL', 'route:' .. ARGV[1])
`;
