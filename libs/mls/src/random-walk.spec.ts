import { describe, expect, it } from '@jest/globals';
import { createGroupInfoWithExternalPubAndRatchetTree, joinGroupExternal } from '#ts-mls/createCommit.js';
import { encodeMlsMessage } from '#ts-mls/message.js';
import { THOROUGH } from '@sotto/testing/thoroughly';
import { browserProvider } from './crypto/browser-provider.js';
import { nodeProvider } from './crypto/node-provider.js';
import { GroupWalk, type WalkLimits } from './fixtures/group-walk.js';
import { libraryClient, suite } from './fixtures/library-clients.js';

/** 200 in a thorough run. */
const SEEDS = Number(process.env['RANDOM_WALK_SEEDS'] ?? (THOROUGH ? 200 : 10));
/** Of a failing run, to see it alone. */
const ONLY = process.env['RANDOM_WALK_SEED'];
const MINUTES = 10;

/** Most groups are small, so that there are many; every 40th, from the first on, fills up to 40 members. */
function limitsOf(seed: number): WalkLimits {
  if (seed % 40 === 0) return { members: 40, steps: 6 };
  return seed % 5 === 0 ? { members: 16, steps: 10 } : { members: 6, steps: 12 };
}

/** The browser's takes ten times as long: one of twenty walks, and none with many members. */
const providerOf = (seed: number) => (seed % 20 === 1 ? browserProvider : nodeProvider);

async function refuseExternalCommit(walk: GroupWalk): Promise<void> {
  const { engine, state } = await walk.anyMember();
  const { clientConfig, ...inner } = state.unsafeInner();
  const info = await createGroupInfoWithExternalPubAndRatchetTree({ ...inner, clientConfig }, [], suite);
  const { publicPackage, privatePackage } = await libraryClient('eve');
  const capabilities = { ...publicPackage.leafNode.capabilities, extensions: [0xf5a1] };
  const outsider = { ...publicPackage, leafNode: { ...publicPackage.leafNode, capabilities } };
  const { publicMessage } = await joinGroupExternal(info, outsider, privatePackage, false, suite, undefined, clientConfig);
  const message = encodeMlsMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage });
  await expect(engine.open(state, message)).rejects.toMatchObject({ reason: 'unsupported' });
}

async function walked(seed: number): Promise<GroupWalk> {
  const walk = new GroupWalk(seed, limitsOf(seed), providerOf(seed));
  try {
    await walk.run();
    await refuseExternalCommit(walk);
  } catch (error) {
    throw new Error(`RANDOM_WALK_SEED=${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return walk;
}

describe('Groups in which anything happens that may', () => {
  it(
    'stay in one state on every branch, lose no message, and keep out whoever was removed, by either provider',
    async () => {
      const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(ONLY)];
      const total = { commits: 0, forks: 0, joins: 0, rejoins: 0, removals: 0, messages: 0 };
      for (const seed of seeds) {
        const { counts } = await walked(seed);
        for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += counts[name];
      }
      // So that the walks never come to walk past what they are for.
      if (seeds.length >= 20) for (const count of Object.values(total)) expect(count).toBeGreaterThan(0);
    },
    MINUTES * 60_000,
  );
});
