export interface RedisUser {
  name: string;
  /** Patterns of keys that it reads and writes. */
  keys: string[];
  /** Patterns of keys that it only reads. */
  reads: string[];
  commands: string[];
}

export const REDIS_USERS: readonly RedisUser[];

/** The users as lines of redis.conf; passwords by user name. */
export function redisUsers(passwords: Readonly<Record<string, string>>): string;

/** redis-server's configuration; passwords by user name. */
export function redisConfig(passwords: Readonly<Record<string, string>>): string;
