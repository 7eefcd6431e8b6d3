import { beforeAll, describe, expect, it } from '@jest/globals';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { EnvelopeSchema, fromHex, type HelloEnvelope, HelloSchema, SignedHelloSchema, toHex } from '@sotto/protocol';
import { randomBytes, sealRecord, sodiumReady } from '../sodium.js';
import { type HelloKey, openHello, packShort, sealHello, short, unpackShort } from './hello.js';

const GROUP = 'c0'.repeat(32);
const id = (digit: string) => digit.repeat(32);
const key = (by: string): HelloKey => ({ by, key: randomBytes(32) });
const hello = create(HelloSchema, { group: fromHex(GROUP), sender: fromHex(id('a')), headEpoch: 7n });
const maker = { random: randomBytes, sign: (bytes: Uint8Array) => new Uint8Array(64).fill(bytes.length) };

function envelopeOf(payload: Uint8Array): HelloEnvelope {
  const { kind } = fromBinary(EnvelopeSchema, payload);
  if (kind.case !== 'hello') throw new Error('no hello');
  return kind.value;
}
const sealed = (...keys: HelloKey[]) => envelopeOf(sealHello(hello, keys, maker));
const sealedWith = (token: Uint8Array, ...keys: HelloKey[]) =>
  envelopeOf(sealHello(create(HelloSchema, { group: fromHex(GROUP), token }), keys, maker));
const having =
  (...keys: HelloKey[]) =>
  (by: string) =>
    keys.find((each) => short(each.by) === by)?.key;

beforeAll(sodiumReady);

describe('a hello', () => {
  it('opens to whoever holds any one of the states under which it is sealed', () => {
    const [first, second, third] = [key(id('1')), key(id('2')), key(id('3'))];
    const envelope = sealed(first, second);
    for (const each of [first, second]) {
      const opened = openHello(envelope, having(each))!;
      expect(opened.hello).toEqual(hello);
      expect(opened.bytes).toEqual(toBinary(HelloSchema, hello));
      expect(opened.signature).toEqual(maker.sign(opened.bytes));
    }
    expect(openHello(envelope, having(third))).toBeUndefined();
    expect(openHello(sealed(), having(first))).toBeUndefined();
  });

  it('opens by another key where one of the same name is not the right one', () => {
    const [first, second] = [key(id('1')), key(id('2'))];
    expect(openHello(sealed(first, second), having(key(id('1')), second))?.hello).toEqual(hello);
  });

  it('shows its reader nothing of who speaks: what is in the clear is the group and the names of states', () => {
    const envelope = sealed(key(id('1')));
    const { group, keys, sealed: hidden } = envelope;
    expect({ group, keys: keys.length }).toEqual({ group: fromHex(GROUP), keys: 1 });
    expect(toHex(hidden)).not.toContain(id('a'));
    expect(envelope.keys[0]!.by).toEqual(fromHex('1'.repeat(16)));
  });

  it('of another group does not open, though its keys are the same', () => {
    const first = key(id('1'));
    expect(openHello({ ...sealed(first), group: fromHex('c1'.repeat(32)) }, having(first))).toBeUndefined();
  });

  it('that was altered, cut or never was one does not open', () => {
    const first = key(id('1'));
    const whole = sealed(first);
    for (const bytes of [whole.sealed.with(30, whole.sealed[30]! ^ 1), whole.sealed.subarray(0, 20), new Uint8Array()])
      expect(openHello({ ...whole, sealed: bytes }, having(first))).toBeUndefined();
    const none = sealRecord(Uint8Array.of(255, 255), `hello ${GROUP}`, first.key);
    const wrapped = sealRecord(first.key, `hello key ${GROUP}`, first.key);
    expect(openHello({ ...whole, keys: [{ ...whole.keys[0]!, sealed: wrapped }], sealed: none }, having(first))).toBeUndefined();
  });

  it('within which the signed part is none does not open', () => {
    const first = key(id('1'));
    const value = toBinary(SignedHelloSchema, create(SignedHelloSchema, { hello: Uint8Array.of(255, 255), signature: new Uint8Array(64) }));
    const wrapped = sealRecord(first.key, `hello key ${GROUP}`, first.key);
    const envelope = sealed(first);
    const bad = { ...envelope, keys: [{ ...envelope.keys[0]!, sealed: wrapped }], sealed: sealRecord(value, `hello ${GROUP}`, first.key) };
    expect(openHello(bad, having(first))).toBeUndefined();
  });

  it('that is larger than any device would make it does not open', () => {
    const first = key(id('1'));
    const ids = (count: number) => new Uint8Array(8 * count);
    const list = (length: number) => Array.from({ length }, () => ({}));
    const opens = (more: MessageInitShape<typeof HelloSchema>) =>
      openHello(envelopeOf(sealHello(create(HelloSchema, { group: fromHex(GROUP), ...more }), [first], maker)), having(first)) !==
      undefined;
    for (const field of ['digests', 'details', 'seen']) {
      expect(opens({ [field]: list(512) })).toBe(true);
      expect(opens({ [field]: list(513) })).toBe(false);
    }
    for (const field of ['path', 'others']) {
      expect(opens({ [field]: ids(2_500) })).toBe(true);
      expect(opens({ [field]: ids(2_501) })).toBe(false);
    }
  });

  it('names where it may be answered in a way that can be used, or not at all', () => {
    const first = key(id('1'));
    const opens = (length: number) => openHello(sealedWith(new Uint8Array(length), first), having(first)) !== undefined;
    expect([0, 32].map(opens)).toEqual([true, true]);
    expect([1, 31, 33].map(opens)).toEqual([false, false, false]);
  });

  it('is looked for under 64 keys, not under as many as somebody likes to name', () => {
    const [first, ...others] = Array.from({ length: 65 }, (_, i) => key(i.toString(16).padStart(16, '0')));
    expect(openHello(sealed(...others.slice(1), first!), having(first!))?.hello).toEqual(hello);
    expect(openHello(sealed(...others, first!), having(first!))).toBeUndefined();
  });
});

describe('short ids', () => {
  it('are the first 8 bytes, one after the other', () => {
    expect(unpackShort(packShort([id('1'), id('2')]))).toEqual(['1'.repeat(16), '2'.repeat(16)]);
    expect(packShort([])).toEqual(new Uint8Array());
    expect(short(id('3'))).toBe('3'.repeat(16));
  });

  it('cut in the middle lose the last one alone', () => {
    expect(unpackShort(packShort([id('1'), id('2')]).subarray(0, 15))).toEqual(['1'.repeat(16)]);
  });
});
