/*
 * approvals:<account>  hash: device → JSON {name, asked, expires, approver, refused, messages (base64)}
 * The key ends with the approval that was asked for last.
 */
const SHARED = `
local key, now = KEYS[1], tonumber(ARGV[1])
local function standing(device)
  local value = redis.call('HGET', key, device)
  if not value then return nil end
  local approval = cjson.decode(value)
  if approval.expires <= now or approval.refused then return nil end
  return approval
end
local function keep(device, approval) redis.call('HSET', key, device, cjson.encode(approval)) end
`;

/** ARGV: now, device, the approval in JSON, bound, lifetime (seconds). 0: the account has too many. */
export const ASK = `${SHARED}
for _, device in ipairs(redis.call('HKEYS', key)) do
  local approval = cjson.decode(redis.call('HGET', key, device))
  if approval.expires <= now then redis.call('HDEL', key, device) end
end
if redis.call('HEXISTS', key, ARGV[2]) == 0 and redis.call('HLEN', key) >= tonumber(ARGV[4]) then return 0 end
redis.call('HSET', key, ARGV[2], ARGV[3])
redis.call('EXPIRE', key, ARGV[5])
return 1
`;

/** ARGV: now, device, writing device, position, message (base64), most messages. 0: not taken. */
export const APPEND = `${SHARED}
local approval, position = standing(ARGV[2]), tonumber(ARGV[4])
if not approval or #approval.messages ~= position or position >= tonumber(ARGV[6]) then return 0 end
if position % 2 == 1 then
  if approval.approver ~= '' and approval.approver ~= ARGV[3] then return 0 end
  approval.approver = ARGV[3]
end
approval.messages[position + 1] = ARGV[5]
keep(ARGV[2], approval)
return 1
`;

/** ARGV: now, device. 0: there is none. */
export const REFUSE = `${SHARED}
local approval = standing(ARGV[2])
if not approval then return 0 end
approval.refused = true
keep(ARGV[2], approval)
return 1
`;
