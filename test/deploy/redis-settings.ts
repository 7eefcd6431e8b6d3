import { Redis } from 'ioredis';

const NAME = 'settings-reader';

/** A line of redis.conf: a user beside the services', who may ask for settings and do nothing else. */
export const SETTINGS_READER = `user ${NAME} on nopass -@all +config|get`;

export const NOTHING_ON_DISK = { save: '', appendonly: 'no' };

/** What a running Redis would write, as it says itself. */
export async function diskSettingsOf(port: number): Promise<Record<string, string>> {
  const redis = new Redis({ port, username: NAME, password: 'any', protocol: 2, lazyConnect: true, enableReadyCheck: false });
  try {
    await redis.connect();
    const values = (await redis.config('GET', ...Object.keys(NOTHING_ON_DISK))) as string[];
    return Object.fromEntries(values.flatMap((name, i) => (i % 2 === 0 ? [[name, values[i + 1]!]] : [])));
  } finally {
    redis.disconnect();
  }
}
