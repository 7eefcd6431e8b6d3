import { argon2id, hash, needsRehash, verify } from 'argon2';
import type { WorkLimit } from '../limits/work-limit.js';

export interface Argon2Cost {
  memoryKib: number;
  passes: number;
  lanes: number;
}

/** argon2id with bounded concurrency. A check takes the same work whether or not there is a hash to check against. */
export class PasswordHasher {
  private constructor(
    private readonly cost: Argon2Cost,
    private readonly limit: WorkLimit,
    private readonly dummy: string,
  ) {}

  static async start(cost: Argon2Cost, limit: WorkLimit): Promise<PasswordHasher> {
    return new PasswordHasher(cost, limit, await hashOf('the hash that unknown names are checked against', cost));
  }

  /** PHC string. Throws RpcError UNAVAILABLE when too many wait. @param address who asks. */
  hash(password: string, address: string): Promise<string> {
    return this.limit.run(() => hashOf(password, this.cost), address);
  }

  /** False without a stored hash, after the same work. Throws RpcError UNAVAILABLE when too many wait. @param address who asks. */
  async matches(stored: string | null | undefined, password: string, address: string): Promise<boolean> {
    const right = await this.limit.run(() => verify(stored ?? this.dummy, password), address);
    return right && typeof stored === 'string';
  }

  /** Made at another cost than this one, which a check of it tells by its time. */
  isOutdated(stored: string): boolean {
    return needsRehash(stored, optionsOf(this.cost));
  }
}

function hashOf(password: string, cost: Argon2Cost): Promise<string> {
  return hash(password, { type: argon2id, ...optionsOf(cost) });
}

function optionsOf({ memoryKib, passes, lanes }: Argon2Cost) {
  return { memoryCost: memoryKib, timeCost: passes, parallelism: lanes };
}
