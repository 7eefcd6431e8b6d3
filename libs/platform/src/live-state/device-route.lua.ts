/*
 * route:<device>             hash: account, gateway, connection, key, revoked, invisible
 * account-devices:<account>  hash: device → "<gateway>:<connection>:<invisible>", connected devices only
 * gateway-devices:<gateway>  hash: device → account, connected devices only
 *
 * Nothing is refreshed per connection, so a connected device's keys live for 30 days: longer than a connection does.
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

/** ARGV: device, account, gateway, connection, key, revoked, invisible. Returns [gateway, connection] of the connected route that it replaced, or nil. */
export const ATTACH_ROUTE = `${UNLINK}
local key = 'route:' .. ARGV[1]
local old = redis.call('HMGET', key, 'account', 'gateway', 'connection')
local replaced = false
if old[1] and old[2] ~= '0' then
  unlink(ARGV[1], old[1], old[2])
  replaced = { old[2], old[3] }
end
redis.call('HSET', key, 'account', ARGV[2], 'gateway', ARGV[3], 'connection', ARGV[4], 'key', ARGV[5], 'revoked', ARGV[6], 'invisible', ARGV[7])
redis.call('HSET', 'account-devices:' .. ARGV[2], ARGV[1], ARGV[3] .. ':' .. ARGV[4] .. ':' .. ARGV[7])
redis.call('HSET', 'gateway-devices:' .. ARGV[3], ARGV[1], ARGV[2])
redis.call('PEXPIRE', key, CONNECTED_MS)
redis.call('PEXPIRE', 'account-devices:' .. ARGV[2], CONNECTED_MS)
redis.call('PEXPIRE', 'gateway-devices:' .. ARGV[3], CONNECTED_MS)
return replaced
`;

/** ARGV: device, gateway, connection, retention (ms). 1: it was there. */
export const DETACH_ROUTE = `${UNLINK}
local old = redis.call('HMGET', 'route:' .. ARGV[1], 'account', 'gateway', 'connection')
if not old[1] or old[2] == '0' or old[2] ~= ARGV[2] or old[3] ~= ARGV[3] then return 0 end
leave(ARGV[1], old[1], old[2], ARGV[4])
return 1
`;

/** ARGV: gateway, retention (ms). Returns device, account, device, account, … */
export const TAKE_DEVICES_OF = `${UNLINK}
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
return redis.call('DEL', 'route:' .. ARGV[1])
`;
