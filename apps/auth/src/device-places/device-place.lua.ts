/* device-places:<account>   hash: device → "<seen>:<expires>:<pending 0|1>"; ends with the place that ends last. */

/** KEYS: device-places:<account>   ARGV: device, seen (now), expires, pending, places, since, revoked devices... → 1: it has a place, 0: none is free. */
export const TAKE_PLACE = `
local now, since, revoked = tonumber(ARGV[2]), tonumber(ARGV[6]), {}
for i = 7, #ARGV do revoked[ARGV[i]] = true end
local others, last = 0, tonumber(ARGV[3])
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local device, seen, expires = all[i], string.match(all[i + 1], '(%d+):(%d+)')
  if tonumber(expires) <= now or tonumber(seen) < since or revoked[device] then
    redis.call('HDEL', KEYS[1], device)
  elseif device ~= ARGV[1] then
    others, last = others + 1, math.max(last, tonumber(expires))
  end
end
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and others >= tonumber(ARGV[5]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. ARGV[3] .. ':' .. ARGV[4])
redis.call('EXPIREAT', KEYS[1], last)
return 1
`;
