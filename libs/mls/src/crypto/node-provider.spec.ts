import { describe, expect, it } from '@jest/globals';
import { browserProvider } from './browser-provider.js';
import { nodeProvider } from './node-provider.js';

const message = new TextEncoder().encode('hello bob');

describe('The keys that the node provider keeps imported', () => {
  it('are not used once their bytes have been overwritten', () => {
    const secret = new Uint8Array(32).fill(1);
    const first = nodeProvider.ed25519Sign(secret, message);
    expect(nodeProvider.ed25519Sign(secret, message)).toEqual(first);
    secret.fill(2);
    const second = nodeProvider.ed25519Sign(secret, message);
    expect(second).not.toEqual(first);
    expect(second).toEqual(browserProvider.ed25519Sign(new Uint8Array(32).fill(2), message));
  });

  it('are not mixed up when one secret serves both curves', () => {
    const secret = new Uint8Array(32).fill(3);
    for (const provider of [nodeProvider, browserProvider]) {
      expect(provider.x25519PublicKey(secret)).toEqual(browserProvider.x25519PublicKey(secret));
      expect(provider.ed25519PublicKey(secret)).toEqual(browserProvider.ed25519PublicKey(secret));
      expect(provider.x25519PublicKey(secret)).toEqual(browserProvider.x25519PublicKey(secret));
    }
  });

  it('are refused at any other length', () => {
    expect(() => nodeProvider.ed25519Sign(new Uint8Array(31), message)).toThrow('not a key of Ed25519');
    expect(nodeProvider.ed25519Verify(new Uint8Array(33), message, new Uint8Array(64))).toBe(false);
  });
});
