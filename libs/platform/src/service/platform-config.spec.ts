import { describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig } from '../config/index.js';
import { platformConfigSchema } from './platform-config.js';

const RIGHT = {
  NATS_URL: 'nats://nats:4222',
  REDIS_URL: 'redis://relay:pass%40word@redis:6379',
  DATABASE_URL: 'postgresql://a:b@db/sotto',
};

function problemsOf(env: Record<string, string>): string {
  try {
    loadConfig(platformConfigSchema, env);
    return '';
  } catch (error) {
    return (error as ConfigError).message;
  }
}

describe('where the parts are', () => {
  it.each([
    RIGHT,
    { NATS_URL: 'nats:4222', REDIS_URL: 'rediss://redis', DATABASE_URL: 'postgres://sotto@127.0.0.1:5432/postgres?sslmode=require' },
    {
      NATS_URL: 'nats://one:4222, nats://[::1]:4222',
      REDIS_URL: 'redis://redis:6379/2',
      DATABASE_URL: 'postgresql:///sotto?host=/run/postgresql',
    },
  ])('may be said as %j', (env) => {
    expect(problemsOf(env)).toBe('');
  });

  it.each([
    [
      'NATS_URL',
      'nats://h:99999999',
      'nats://',
      'http://nats:4222',
      'tls://nats:4222',
      'nats://bob:hunter2@nats:4222',
      'nats://one:4222,',
      'ha ha',
    ],
    [
      'REDIS_URL',
      'http://hunter2.example',
      'redis',
      'redis:6379',
      'redis://',
      'redis://bob:hun#ter2@redis',
      '/run/redis.sock',
      'redis://redis/one',
    ],
    [
      'DATABASE_URL',
      'mysql://bob:hunter2@db/sotto',
      'postgres',
      'postgresql://',
      'postgresql:///sotto',
      'host=db user=bob',
      'postgres://db:port/sotto',
    ],
  ])('is refused in %s with how it must look, unless it looks so', (name, ...values) => {
    for (const value of values) {
      const problems = problemsOf({ ...RIGHT, [name]: value });
      expect([value, problems]).toEqual([
        value,
        expect.stringMatching(new RegExp(`^the configuration has 1 problem:\n  ${name}: must be .*HOST`)),
      ]);
      expect(problems).not.toMatch(/hunter2|hun#|ha ha|mysql/);
    }
  });

  it('is wrong in all of them at once', () => {
    const problems = problemsOf({ NATS_URL: 'x://', REDIS_URL: 'x://', DATABASE_URL: 'x://', HEALTH_PORT: '70000' }).split('\n');
    const names = ['NATS_URL', 'REDIS_URL', 'DATABASE_URL', 'HEALTH_PORT'];
    expect(problems.slice(1)).toEqual(names.map((name) => expect.stringContaining(`${name}: `)));
  });
});
