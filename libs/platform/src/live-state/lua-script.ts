import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

/**
 * One atomic step in Redis. The sources stand beside their stores as `*.lua.ts` template strings, so that tsc alone builds the package
 * and no bundler or image can leave a file behind.
 */
export class LuaScript<Reply> {
  private readonly sha: string;

  constructor(private readonly source: string) {
    this.sha = createHash('sha1').update(source).digest('hex');
  }

  /** A Redis that was restarted or wiped does not know the script: it is sent again in full. */
  async run(redis: Redis, keys: string[], args: (string | number | Uint8Array)[]): Promise<Reply> {
    const values = args.map((arg) => (arg instanceof Uint8Array ? Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength) : arg));
    try {
      return (await redis.evalsha(this.sha, keys.length, ...keys, ...values)) as Reply;
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return (await redis.eval(this.source, keys.length, ...keys, ...values)) as Reply;
    }
  }
}
