import { describe, expect, it } from '@jest/globals';
import type { LeafNode } from 'ts-mls/leafNode.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
import { checkProposals, checkSameIdentities } from './policy.js';

const leaf = (name: string) => ({ credential: { credentialType: 'basic', identity: new TextEncoder().encode(name) } }) as LeafNode;
const tree = (...names: string[]): RatchetTree => names.flatMap((name) => [{ nodeType: 'leaf' as const, leaf: leaf(name) }, undefined]);

describe('the policy of commits', () => {
  it('refuses an external init, so that nobody joins or removes from outside', () => {
    const proposal = { proposalType: 'external_init', externalInit: { kemOutput: new Uint8Array(32) } } as const;
    expect(() => checkProposals([{ proposal, senderLeafIndex: 0 }])).toThrow(expect.objectContaining({ reason: 'unsupported' }));
  });

  it('refuses a leaf that becomes another device by an update', () => {
    expect(() => checkSameIdentities(tree('alice', 'bob'), tree('alice', 'mallory'), [])).toThrow(
      expect.objectContaining({ reason: 'identity-changed' }),
    );
  });

  it('lets another device take a leaf whose member the same commit removes', () => {
    const proposal = { proposalType: 'remove', remove: { removed: 1 } } as const;
    expect(() => checkSameIdentities(tree('alice', 'bob'), tree('alice', 'carol'), [{ proposal, senderLeafIndex: 0 }])).not.toThrow();
  });
});
