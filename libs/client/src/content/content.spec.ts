import { describe, expect, it } from '@jest/globals';
import { fromHex, toHex } from '@sotto/protocol';
import { encode } from 'cborg';
import fc from 'fast-check';
import { decodeContent, encodeContent, type MessageContent, MOST_TEXT_BYTES } from './content.js';
import { contentIdOf, messageRef } from './message-ref.js';

const SALT = Uint8Array.from({ length: 16 }, (_, i) => i);
const REF = `01${'ab'.repeat(31)}`;
const OTHER = `01${'cd'.repeat(31)}`;
const SENT = { sentAt: 1_800_000_000_123 };
const utf8 = (text: string) => new TextEncoder().encode(text);

/** A content as it is on the wire, with parts of it replaced. */
function wire(
  change: Partial<Record<'salt' | 'replaces' | 'topic' | 'expires' | 'inReplyTo' | 'extensions' | 'part', unknown>> = {},
): Uint8Array {
  const part = [1, '', 1, 'text/plain;charset=utf-8', utf8('hi')];
  const all = {
    salt: SALT,
    replaces: null,
    topic: new Uint8Array(0),
    expires: null,
    inReplyTo: null,
    extensions: new Map([['sotto.sent_time', 5]]),
    part,
    ...change,
  };
  return encode([all.salt, all.replaces, all.topic, all.expires, all.inReplyTo, all.extensions, all.part]);
}

/** In hex, as on the wire: an array of 7 with the salt first; the extension with the time; media types. */
const HEAD = '8750000102030405060708090a0b0c0d0e0f';
const TIME = `a16f${toHex(utf8('sotto.sent_time'))}1b000001a3185c507b`;
const PLAIN = toHex(utf8('text/plain;charset=utf-8'));
const MARKDOWN = toHex(utf8('text/markdown;variant=GFM-MIMI'));
const STATUS = toHex(utf8('application/mimi-message-status'));

const GOLDEN: readonly [string, MessageContent, number | undefined, string][] = [
  ['text', { kind: 'text', text: 'hi' }, undefined, `${HEAD}f640f6f6${TIME}850160017818${PLAIN}426869`],
  [
    'markdown that answers and expires',
    { kind: 'text', text: '*hi*', markdown: true, replyTo: REF },
    1_800_000_060_001,
    `${HEAD}f64082f41a6b49d23d5820${REF}${TIME}85016001781e${MARKDOWN}442a68692a`,
  ],
  ['edit', { kind: 'edit', of: REF, text: 'hey' }, undefined, `${HEAD}5820${REF}40f6f6${TIME}850160017818${PLAIN}43686579`],
  ['deletion', { kind: 'deletion', of: REF }, undefined, `${HEAD}5820${REF}40f6f6${TIME}83016000`],
  ['reaction', { kind: 'reaction', to: REF, emoji: '❤' }, undefined, `${HEAD}f640f65820${REF}${TIME}850260017818${PLAIN}43e29da4`],
  ['reaction taken back', { kind: 'unreaction', to: REF, reaction: OTHER }, undefined, `${HEAD}5820${OTHER}40f65820${REF}${TIME}83026000`],
  [
    'receipt',
    { kind: 'receipt', read: [REF, OTHER] },
    undefined,
    `${HEAD}f640f6f6${TIME}85006001781f${STATUS}584982825820${REF}02825820${OTHER}02`,
  ],
];

describe('MIMI content', () => {
  it.each(GOLDEN)('has these bytes: %s', (_, content, expiresAt, hex) => {
    expect(toHex(encodeContent(content, { ...SENT, expiresAt }, SALT))).toBe(hex);
  });

  it.each(GOLDEN)('says the same to whoever reads it: %s', (_, content, expiresAt) => {
    const read = decodeContent(encodeContent(content, { ...SENT, expiresAt }, SALT), 0);
    const seconds = expiresAt === undefined ? undefined : 1_000 * Math.ceil(expiresAt / 1_000);
    expect(read).toEqual({ ...content, ...SENT, ...(seconds !== undefined && { expiresAt: seconds }) });
  });

  it('keeps any text and time', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 200 });
    const property = fc.property(texts, fc.nat({ max: 2 ** 45 }), fc.boolean(), (text, sentAt, markdown) => {
      const content = decodeContent(encodeContent({ kind: 'text', text, markdown }, { sentAt }, SALT), 0);
      expect(content).toEqual({ kind: 'text', text, sentAt, ...(markdown && { markdown }) });
    });
    fc.assert(property);
  });

  it('knows one text among parts of which one is to be chosen', () => {
    const choices = [
      [1, '', 1, 'image/png', utf8('png')],
      [1, '', 1, 'text/plain;charset=utf-8', utf8('a picture')],
    ];
    expect(decodeContent(wire({ part: [1, '', 3, 0, choices] }), 0)).toMatchObject({ kind: 'text', text: 'a picture' });
    expect(decodeContent(wire({ part: [1, '', 3, 2, choices] }), 0)).toBeUndefined();
  });

  it('counts a relative time to live from when the content came', () => {
    expect(decodeContent(wire({ expires: [true, 60] }), 1_000)).toMatchObject({ expiresAt: 61_000 });
    expect(decodeContent(wire({ expires: [false, 60] }), 1_000)).toMatchObject({ expiresAt: 60_000 });
  });

  it('takes a reaction in the place of an earlier one', () => {
    const content = { kind: 'reaction', to: REF, emoji: '+1', instead: OTHER } as const;
    expect(decodeContent(encodeContent(content, SENT, SALT), 0)).toMatchObject(content);
  });

  it.each([
    ['a short salt', wire({ salt: SALT.subarray(1) })],
    ['a short reference', wire({ inReplyTo: new Uint8Array(31) })],
    ['a reference of another hash', wire({ replaces: new Uint8Array(32) })],
    ['no time', wire({ extensions: new Map() })],
    ['a time that is none', wire({ extensions: new Map([['sotto.sent_time', 'now']]) })],
    ['an expiry that is none', wire({ expires: [60] })],
    ['a disposition of its own', wire({ part: [200, '', 1, 'text/plain;charset=utf-8', utf8('hi')] })],
    ['an external part', wire({ part: [6, '', 2, 'video/mp4', 'https://example.com/v', 0, 0, 0, SALT, SALT, SALT, 1, SALT, '', ''] })],
    ['another type', wire({ part: [1, '', 1, 'text/html', utf8('<b>hi</b>')] })],
    ['bytes that are no UTF-8', wire({ part: [1, '', 1, 'text/plain;charset=utf-8', Uint8Array.of(0xff)] })],
    ['a text that is too long', wire({ part: [1, '', 1, 'text/plain;charset=utf-8', new Uint8Array(MOST_TEXT_BYTES + 1).fill(97)] })],
    ['a reaction to nothing', wire({ part: [2, '', 1, 'text/plain;charset=utf-8', utf8('+1')] })],
    ['a reaction with spaces', wire({ inReplyTo: fromHex(REF), part: [2, '', 1, 'text/plain;charset=utf-8', utf8('+ 1')] })],
    ['a deletion of nothing', wire({ part: [1, '', 0] })],
    ['one more field', encode([...Array.from({ length: 8 }, () => null)])],
    ['something behind it', Uint8Array.of(...wire(), 0)],
    ['an array of four thousand million items', fromHex('9affffffff')],
    ['bytes of a length that is not there', fromHex('5b7fffffffffffffff')],
    ['ten thousand arrays in one another', new Uint8Array(10_000).fill(0x81)],
    ['an indefinite array', Uint8Array.of(0x9f, ...wire().subarray(1), 0xff)],
    ['nothing', new Uint8Array(0)],
  ])('does not know %s, and does not throw', (_, bytes) => {
    expect(decodeContent(bytes, 0)).toBeUndefined();
  });

  it('takes any bytes without throwing', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void decodeContent(bytes, 0)));
    const altered = fc.tuple(fc.nat({ max: wire().length - 1 }), fc.nat({ max: 255 }));
    const property = fc.property(fc.array(altered, { maxLength: 4 }), (changes) => {
      const bytes = wire();
      for (const [at, byte] of changes) bytes[at] = byte;
      decodeContent(bytes, 0);
    });
    fc.assert(property, { numRuns: 1_000 });
  });
});

describe('the id of a message', () => {
  const alice = '11'.repeat(16);
  const bob = '22'.repeat(16);

  it('is the hash of sender, content and salt', async () => {
    const bytes = wire();
    const sender = utf8(`sotto:${alice}`);
    const input = Buffer.concat([Uint8Array.of(0, sender.length), sender, Uint8Array.of(0, 0), bytes, SALT]);
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', input));
    expect(messageRef(alice, bytes)).toBe(`01${toHex(hash.subarray(0, 31))}`);
    expect(contentIdOf(messageRef(alice, bytes))).toBe(toHex(hash.subarray(0, 16)));
  });

  it('is pinned', () => {
    expect(messageRef(alice, encodeContent({ kind: 'text', text: 'hi' }, SENT, SALT))).toBe(
      '01578027ea7d8e4a6b4695ad5d5ef9706753d68a7c5455a3fffe988456026245',
    );
  });

  it('is another for the same words of somebody else', () => {
    expect(messageRef(alice, wire())).not.toBe(messageRef(bob, wire()));
  });

  it('exists for bytes that are no content', () => {
    expect(messageRef(alice, new Uint8Array(0))).toMatch(/^01[0-9a-f]{62}$/);
    expect(messageRef(alice, fromHex('8750'))).not.toBe(messageRef(alice, fromHex('8751')));
  });
});
