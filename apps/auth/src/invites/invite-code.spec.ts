import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { openInvite, sealInvite } from './invite-code.js';

const NOW = 1_800_000_000;
const KEY = randomBytes(32);
const seal = (key = KEY) => sealInvite(key, { name: 'alice', now: NOW, lifetimeSeconds: 60 });

describe('an invite code', () => {
  it('says what was put in, until it expires', () => {
    const { code, expires } = seal();
    expect(expires).toBe(NOW + 60);
    expect(openInvite(KEY, code, NOW + 59)).toMatchObject({ name: 'alice', expires: BigInt(NOW + 60) });
    expect(openInvite(KEY, code, NOW + 60)).toBeUndefined();
  });

  it('is another each time', () => {
    const ids = [seal(), seal()].map(({ code }) => Buffer.from(openInvite(KEY, code, NOW)!.id).toString('hex'));
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('of another server is none', () => {
    expect(openInvite(KEY, seal(randomBytes(32)).code, NOW)).toBeUndefined();
  });

  it('is none with any bit changed, any byte added or taken away', () => {
    const bytes = Buffer.from(seal().code, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const forged = Buffer.from(bytes);
      forged[bit >> 3]! ^= 1 << (bit & 7);
      expect(openInvite(KEY, forged.toString('base64url'), NOW)).toBeUndefined();
    }
    for (const other of [bytes.subarray(1), bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.alloc(1)])])
      expect(openInvite(KEY, other.toString('base64url'), NOW)).toBeUndefined();
  });

  it('has one spelling: an invite that is used is used in every other', () => {
    const { code } = seal();
    const last = code.at(-1)!;
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const others = [...alphabet].filter((letter) => letter !== last).map((letter) => code.slice(0, -1) + letter);
    for (const other of [...others, `${code}=`, ` ${code}`, `${code}\n`]) expect(openInvite(KEY, other, NOW)).toBeUndefined();
  });

  it('is none whatever text is given, and never throws', () => {
    fc.assert(fc.property(fc.string({ maxLength: 400 }), (text) => openInvite(KEY, text, NOW) === undefined));
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 120 }),
        (bytes) => openInvite(KEY, Buffer.from(bytes).toString('base64url'), NOW) === undefined,
      ),
    );
  });
});
