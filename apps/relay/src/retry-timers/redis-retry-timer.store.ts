import type { Redis } from 'ioredis';
import { LEFT_BEHIND_MS, type RetryTimer, retryTimerKey, type RetryTimerStore } from './retry-timer.store.js';

/** One sorted set, scored by deadline. The key expires with its last timer. */
const KEY = 'relay:retry-timers';
/** Longest retry window, and a minute. Seconds. */
const KEY_LIFETIME = 24 * 3_600 + 60;
/** Timers in one command: a function takes only so many arguments. */
const AT_ONCE = 1_000;

/** ARGV: before, limit, until when theirs are left behind, then the owners that are alive. Looks at so many at a time, and passes over theirs. */
const TAKE_DUE = `
local alive, taken, passed = {}, {}, 0
for i = 4, #ARGV do alive[ARGV[i]] = true end
while #taken < 2 * ARGV[2] do
  local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1], 'WITHSCORES', 'LIMIT', passed, ARGV[2])
  if #due == 0 then break end
  for i = 1, #due, 2 do
    local owned = alive[string.match(due[i], '%d+$')]
    if owned and tonumber(due[i + 1]) < tonumber(ARGV[3]) then
      redis.call('ZREM', KEYS[1], due[i])
    elseif owned then
      passed = passed + 1
    elseif #taken < 2 * ARGV[2] then
      redis.call('ZREM', KEYS[1], due[i])
      taken[#taken + 1] = due[i]
      taken[#taken + 1] = due[i + 1]
    end
  end
end
return taken`;

export class RedisRetryTimerStore implements RetryTimerStore {
  constructor(private readonly redis: Redis) {}

  async add(timers: readonly RetryTimer[]): Promise<void> {
    for (let from = 0; from < timers.length; from += AT_ONCE) {
      const some = timers.slice(from, from + AT_ONCE);
      await this.redis
        .multi()
        .zadd(KEY, ...some.flatMap((timer) => [timer.deadline, retryTimerKey(timer)]))
        .expire(KEY, KEY_LIFETIME)
        .exec();
    }
  }

  async remove(timers: readonly RetryTimer[]): Promise<void> {
    for (let from = 0; from < timers.length; from += AT_ONCE)
      await this.redis.zrem(KEY, ...timers.slice(from, from + AT_ONCE).map(retryTimerKey));
  }

  async takeDue(before: number, limit: number, alive: readonly number[]): Promise<RetryTimer[]> {
    const due = (await this.redis.eval(TAKE_DUE, 1, KEY, before, limit, before - LEFT_BEHIND_MS, ...alive)) as string[];
    const timers: RetryTimer[] = [];
    for (let i = 0; i < due.length; i += 2) timers.push(parse(due[i]!, Number(due[i + 1])));
    return timers;
  }
}

function parse(key: string, deadline: number): RetryTimer {
  const [sender = '', id = '', device = '', owner = '0'] = key.split(':');
  return { sender, id, device, deadline, owner: Number(owner) };
}
