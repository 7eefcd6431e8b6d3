import { beforeAll, describe, expect, it } from '@jest/globals';
import { LIMITS } from '@sotto/protocol';
import fc from 'fast-check';
import { ChannelError, type ChannelErrorReason } from './error.js';
import { directionKeys } from './key-schedule.js';
import { boxLength, MAX_FRAMES_BYTES, padmeLength } from './padding.js';
import { BOXES_PER_KEY, SealedChannel } from './sealed-channel.js';
import { ready } from './sodium.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function pair(secret = 7): { alice: SealedChannel; server: SealedChannel } {
  const binding = new Uint8Array(32).fill(9);
  const keys = directionKeys(new Uint8Array(32).fill(secret), binding);
  return { alice: new SealedChannel(binding, keys, 'client'), server: new SealedChannel(binding, keys, 'server') };
}

function reasonOf(step: () => unknown): ChannelErrorReason | undefined {
  try {
    step();
  } catch (error) {
    if (error instanceof ChannelError) return error.reason;
    throw error;
  }
  return undefined;
}

beforeAll(ready);

describe('a sealed channel', () => {
  it('carries whatever alice sends, and the answers, in order', () => {
    const { alice, server } = pair();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (frames) => {
        expect(server.open(alice.seal(frames))).toEqual(frames);
        expect(alice.open(server.seal(frames))).toEqual(frames);
      }),
    );
  });

  it('makes the same box of parts as of the whole', () => {
    const parts = [new Uint8Array([1, 2]), new Uint8Array(0), new Uint8Array([3])];
    expect(pair().alice.seal(parts, 3)).toEqual(pair().alice.seal(new Uint8Array([1, 2, 3])));
  });

  it('seals into a place in the middle of a message, and touches nothing beside it', () => {
    const message = new Uint8Array(4 + boxLength(3) + 4).fill(0xee);
    pair().alice.sealInto(message, 4, [new Uint8Array([1, 2, 3])], 3);
    expect(message.subarray(4, -4)).toEqual(pair().alice.seal(new Uint8Array([1, 2, 3])));
    expect([...message.subarray(0, 4), ...message.subarray(-4)]).toEqual(Array(8).fill(0xee));
  });

  it('refuses a place that is too small before it uses up a nonce', () => {
    const { alice, server } = pair();
    expect(() => alice.sealInto(new Uint8Array(boxLength(1)), 1, new Uint8Array(1), 1)).toThrow(RangeError);
    expect(server.open(alice.seal(new Uint8Array([5])))).toEqual(new Uint8Array([5]));
  });

  it('opens into memory that it is given', () => {
    const { alice, server } = pair();
    const room = new Uint8Array(2);
    expect(server.open(alice.seal(new Uint8Array([8, 9])), () => room)).toBe(room);
    expect(room).toEqual(new Uint8Array([8, 9]));
  });

  it('refuses parts that do not add up, and seals nothing left from other connections', () => {
    const { alice } = pair();
    expect(() => alice.seal([new Uint8Array(2)], 3)).toThrow(RangeError);
    expect(() => alice.seal([new Uint8Array(4)], 3)).toThrow(RangeError);
  });

  it('is over after any bit of a box was changed', () => {
    fc.assert(
      fc.property(fc.nat({ max: 8 * (256 + 16) - 1 }), (bit) => {
        const { alice, server } = pair();
        const box = alice.seal(new Uint8Array(5));
        box[bit >> 3]! ^= 1 << (bit & 7);
        expect(reasonOf(() => server.open(box))).toBe('tag-failed');
        box[bit >> 3]! ^= 1 << (bit & 7);
        expect(reasonOf(() => server.open(box))).toBe('closed');
        expect(reasonOf(() => server.seal(new Uint8Array(1)))).toBe('closed');
      }),
    );
  });

  it('refuses a box for the second time', () => {
    const { alice, server } = pair();
    const box = alice.seal(new Uint8Array(5));
    server.open(box);
    expect(reasonOf(() => server.open(box))).toBe('tag-failed');
  });

  it('refuses boxes out of order', () => {
    const { alice, server } = pair();
    alice.seal(new Uint8Array(1));
    const second = alice.seal(new Uint8Array(1));
    expect(reasonOf(() => server.open(second))).toBe('tag-failed');
  });

  it('refuses a box that is turned back to its sender', () => {
    const { alice } = pair();
    const box = alice.seal(new Uint8Array(5));
    expect(reasonOf(() => alice.open(box))).toBe('tag-failed');
  });

  it('refuses a truncated box, at every length', () => {
    const whole = pair().alice.seal(new Uint8Array(300));
    for (let length = 0; length < whole.length; length++) {
      const expected = length < 272 ? 'malformed' : 'tag-failed';
      expect(reasonOf(() => pair().server.open(whole.subarray(0, length)))).toBe(expected);
    }
  });

  it('takes the longest message and no longer one, sealed or received', () => {
    const { alice, server } = pair();
    expect(reasonOf(() => alice.seal(new Uint8Array(MAX_FRAMES_BYTES + 1)))).toBe('too-large');
    const box = alice.seal(new Uint8Array(MAX_FRAMES_BYTES).fill(3));
    expect(box.length).toBe(LIMITS.boxBytes);
    expect(server.open(box).length).toBe(MAX_FRAMES_BYTES);
    expect(reasonOf(() => server.open(new Uint8Array(LIMITS.boxBytes + 1)))).toBe('too-large');
  });

  it('goes on across two changes of key, and a box from before a change stays closed after it', () => {
    const { alice, server } = pair();
    const frames = new Uint8Array([1, 2, 3]);
    let last = new Uint8Array(0);
    for (let i = 0; i < 2 * BOXES_PER_KEY + 2; i++) {
      last = new Uint8Array(alice.seal(frames));
      expect(hex(server.open(last))).toBe('010203');
    }
    expect(reasonOf(() => server.open(last))).toBe('tag-failed');
  });

  it('pads to 256 bytes and then by Padmé', () => {
    const sizeOf = (length: number): number => pair().alice.seal(new Uint8Array(length)).length;
    expect([0, 1, 252].map(sizeOf)).toEqual([272, 272, 272]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400_000 }), (length) => {
        expect(sizeOf(length)).toBe(padmeLength(Math.max(256, length + 4)) + 16);
      }),
    );
  });

  it('keeps Padmé above the length, within 12 %, monotonous and idempotent', () => {
    expect([9, 100, 257, 474, 1000, 65_537].map(padmeLength)).toEqual([10, 104, 272, 480, 1024, 67_584]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 20 }), (length) => {
        const padded = padmeLength(length);
        expect(padded).toBeGreaterThanOrEqual(length);
        expect(padded).toBeLessThanOrEqual(length * 1.12);
        expect(padmeLength(padded)).toBe(padded);
        expect(padmeLength(length + 1)).toBeGreaterThanOrEqual(padded);
      }),
    );
  });

  it('forgets its keys when it is closed', () => {
    const { alice } = pair();
    alice.close();
    expect(reasonOf(() => alice.seal(new Uint8Array(1)))).toBe('closed');
    expect(reasonOf(() => alice.open(new Uint8Array(272)))).toBe('closed');
  });
});
