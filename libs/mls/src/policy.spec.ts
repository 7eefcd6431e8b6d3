import { describe, expect, it } from '@jest/globals';
import type { LeafNode } from '#ts-mls/leafNode.js';
import type { RatchetTree } from '#ts-mls/ratchetTree.js';
import { nodeProvider } from './crypto/node-provider.js';
import { makeDeviceIdentity } from './device-identity.js';
import { addressExtension, CAPABILITIES } from './key-package.js';
import { checkLeaves, checkProposals, checkTree } from './policy.js';

const id = (digit: string) => digit.repeat(32);
const key = () => globalThis.crypto.getRandomValues(new Uint8Array(32));

const DEVICES: Record<string, string> = { alice: 'a', bob: 'b', carol: 'c', mallory: 'f' };

function leaf(name: string, leafId: string, device = id(DEVICES[name]!)): LeafNode {
  const extensions = [addressExtension({ device, token: new Uint8Array(32), leaf: id(leafId) })];
  const zeroes = new Uint8Array(32);
  const who = { server: 'chat.example', account: id('a'), accountName: name, device, accountKey: zeroes };
  const credential = { credentialType: 'basic', identity: makeDeviceIdentity(nodeProvider, who, zeroes, zeroes) };
  return { credential, extensions, capabilities: CAPABILITIES, hpkePublicKey: key(), signaturePublicKey: key() } as unknown as LeafNode;
}

const tree = (...leaves: LeafNode[]): RatchetTree => leaves.flatMap((each) => [{ nodeType: 'leaf' as const, leaf: each }, undefined]);
const because = (reason: string) => expect.objectContaining({ name: 'MlsError', reason });
const remove = { proposalType: 'remove', remove: { removed: 1 } } as const;

describe('the policy of commits', () => {
  it('refuses an external init, so that nobody joins or removes from outside', () => {
    const proposal = { proposalType: 'external_init', externalInit: { kemOutput: new Uint8Array(32) } } as const;
    expect(() => checkProposals([proposal])).toThrow(because('unsupported'));
  });

  it('refuses group context extensions other than the group data', () => {
    const data = { extensionType: 0xf5a1, extensionData: new Uint8Array() };
    const replaced = (...extensions: (typeof data)[]) =>
      checkProposals([{ proposalType: 'group_context_extensions', groupContextExtensions: { extensions } }]);
    expect(() => replaced(data)).not.toThrow();
    expect(() => replaced()).toThrow(because('invalid'));
    expect(() => replaced(data, data)).toThrow(because('invalid'));
    expect(() => replaced({ ...data, extensionType: 0xf5a2 })).toThrow(because('invalid'));
    expect(() => replaced({ ...data, extensionData: new Uint8Array(65_537) })).toThrow(because('invalid'));
  });

  it('refuses a leaf that becomes another device, or another leaf, by an update', () => {
    const before = tree(leaf('alice', '1'), leaf('bob', '2'));
    expect(() => checkLeaves(before, tree(leaf('alice', '1'), leaf('bob', '2')), [])).not.toThrow();
    expect(() => checkLeaves(before, tree(leaf('alice', '1'), leaf('mallory', '2')), [])).toThrow(because('identity-changed'));
    expect(() => checkLeaves(before, tree(leaf('alice', '1'), leaf('bob', '3')), [])).toThrow(because('identity-changed'));
  });

  it('lets another device take a leaf whose member the same commit removes, under a fresh id', () => {
    const before = tree(leaf('alice', '1'), leaf('bob', '2'));
    expect(() => checkLeaves(before, tree(leaf('alice', '1'), leaf('carol', '3')), [remove])).not.toThrow();
    expect(() => checkLeaves(before, tree(leaf('alice', '1'), leaf('carol', '2')), [remove])).toThrow(because('duplicate-key'));
  });

  it('refuses a leaf that does not know what a group of Sotto has, or that has the address of another device', () => {
    const bob = leaf('bob', '2');
    const older = { ...bob, capabilities: { ...CAPABILITIES, extensions: [0xf5a0] } };
    expect(() => checkTree(tree(leaf('alice', '1'), older))).toThrow(because('unsupported'));
    const extensions = [addressExtension({ device: id('e'), token: new Uint8Array(32), leaf: id('2') })];
    expect(() => checkTree(tree(leaf('alice', '1'), { ...bob, extensions }))).toThrow(because('bad-credential'));
  });

  it('refuses a tree with one leaf id, device, encryption key or signature key twice, and a parent with a key of a leaf', () => {
    const [alice, bob] = [leaf('alice', '1'), leaf('bob', '2')];
    expect(() => checkTree(tree(alice, bob))).not.toThrow();
    expect(() => checkTree(tree(alice, leaf('bob', '1')))).toThrow(because('duplicate-key'));
    expect(() => checkTree(tree(alice, leaf('bob', '2', id('a'))))).toThrow(because('duplicate-key'));
    expect(() => checkTree(tree(alice, { ...bob, hpkePublicKey: alice.hpkePublicKey }))).toThrow(because('duplicate-key'));
    expect(() => checkTree(tree(alice, { ...bob, signaturePublicKey: alice.signaturePublicKey }))).toThrow(because('duplicate-key'));
    const [first, , second] = tree(alice, bob);
    const above = (hpkePublicKey: Uint8Array) =>
      checkTree([first, { nodeType: 'parent', parent: { hpkePublicKey, parentHash: new Uint8Array(), unmergedLeaves: [] } }, second]);
    expect(() => above(key())).not.toThrow();
    expect(() => above(bob.hpkePublicKey)).toThrow(because('duplicate-key'));
  });
});
