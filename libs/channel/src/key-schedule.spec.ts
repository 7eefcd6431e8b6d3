import { createHash, hkdfSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { directionKeys, rekey, transcriptHash } from './key-schedule.js';
import { SealedChannel } from './sealed-channel.js';
import { ready } from './sodium.js';

const hex = (bytes: ArrayBuffer | Uint8Array): string => Buffer.from(bytes as Uint8Array).toString('hex');

beforeAll(ready);

describe('the key schedule', () => {
  it('hashes both hellos with their lengths', async () => {
    const expected = createHash('sha256')
      .update('sotto v1 transcript\0')
      .update(Buffer.from('00000002aabb00000001cc', 'hex'))
      .digest('hex');
    expect(hex(await transcriptHash(Buffer.from('aabb', 'hex'), Buffer.from('cc', 'hex')))).toBe(expected);
    expect(hex(await transcriptHash(Buffer.from('aa', 'hex'), Buffer.from('bbcc', 'hex')))).not.toBe(expected);
  });

  it('derives the keys that node:crypto derives by RFC 5869', () => {
    const exported = new Uint8Array(32).fill(1);
    const binding = new Uint8Array(32).fill(2);
    const keys = directionKeys(exported, binding);
    expect(hex(keys.clientToServer)).toBe(hex(hkdfSync('sha256', exported, binding, 'sotto v1 client to server', 32)));
    expect(hex(keys.serverToClient)).toBe(hex(hkdfSync('sha256', exported, binding, 'sotto v1 server to client', 32)));
  });

  it('keeps its bytes, or old clients could not connect', () => {
    const binding = new Uint8Array(32).fill(2);
    const keys = directionKeys(new Uint8Array(32).fill(1), binding);
    const box = new SealedChannel(binding, keys, 'client').seal(new TextEncoder().encode('golden'));
    const next = new Uint8Array(64);
    next.set(keys.clientToServer, 32);
    rekey(next, 32);
    expect({
      clientToServer: hex(keys.clientToServer),
      serverToClient: hex(keys.serverToClient),
      rekeyed: hex(next.subarray(32)),
      box: createHash('sha256').update(box).digest('hex'),
    }).toMatchInlineSnapshot(`
     {
       "box": "9bc80f87790f735570b9e59254916888034d024f2dd4d1300dad7670ba1b35d8",
       "clientToServer": "1eba6894bb03a8fc8c9d9555bf42adad0437f929e38df28dea0f4f96f4ee16df",
       "rekeyed": "7b999e412be5c8e4586d5c10b1f4d247491d0233c0fabd8494c253fd2562ade8",
       "serverToClient": "172dd2f512125d1b03af8b322b7bda302a55b31f6272544078b658acc7d94173",
     }
    `);
  });
});
