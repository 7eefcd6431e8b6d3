import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { AttachRequestSchema, CallSchema, PublishKeyPackagesRequestSchema } from '../index.js';
import { hasMoreFieldsThan, textIn } from './field-count.js';
import { WireError } from './wire.js';

const ids = (count: number) => Array.from({ length: count }, () => new Uint8Array(16));
const attach = (count: number) =>
  toBinary(
    AttachRequestSchema,
    create(AttachRequestSchema, { accessToken: 'token', deliveryKey: ids(1)[0], revokedCapabilities: ids(count), invisible: true }),
  );

describe('the fields of a message', () => {
  it('are counted to the last', () => {
    expect(hasMoreFieldsThan(10, AttachRequestSchema, attach(7))).toBe(false);
    expect(hasMoreFieldsThan(10, AttachRequestSchema, attach(8))).toBe(true);
    expect(hasMoreFieldsThan(0, AttachRequestSchema, new Uint8Array(0))).toBe(false);
  });

  it('are counted with those of the messages in it', () => {
    const oneTime = ids(3).map((keyPackage) => ({ keyPackage }));
    const bytes = toBinary(PublishKeyPackagesRequestSchema, create(PublishKeyPackagesRequestSchema, { oneTime }));
    expect(hasMoreFieldsThan(6, PublishKeyPackagesRequestSchema, bytes)).toBe(false);
    expect(hasMoreFieldsThan(5, PublishKeyPackagesRequestSchema, bytes)).toBe(true);
  });

  it('are not counted to the end of a message of far more', () => {
    const bytes = new Uint8Array(1 << 20).fill(0xff);
    for (let at = 0; at < 200; at += 2) bytes.set([0x1a, 0], at);
    expect(hasMoreFieldsThan(50, AttachRequestSchema, bytes)).toBe(true);
  });

  it('are those of no message where bytes lack, or the type is unknown', () => {
    expect(() => hasMoreFieldsThan(10, AttachRequestSchema, attach(1).subarray(0, -5))).toThrow(WireError);
    expect(() => hasMoreFieldsThan(10, AttachRequestSchema, Uint8Array.of(0x0b, 0x0c))).toThrow(WireError);
  });

  it('are hidden behind none of another type than its own', () => {
    const hidden = Buffer.alloc(60, Uint8Array.of(0x1a, 0));
    const hiding = {
      'a truth as bytes': Buffer.concat([Uint8Array.of(0x22, hidden.length), hidden]),
      'bytes as a number': Buffer.concat([Uint8Array.of(0x18, 4, 0x1a, 0xbc, 0x80, 0x00), hidden]),
      'bytes as a fixed number': Buffer.concat([Uint8Array.of(0x19, 0, 0, 0, 0, 0, 0, 0, 0), hidden]),
    };
    for (const bytes of Object.values(hiding)) expect(() => hasMoreFieldsThan(10, AttachRequestSchema, bytes)).toThrow(WireError);
    const call = Buffer.concat([Uint8Array.of(0x0a, hidden.length), hidden]);
    expect(() => hasMoreFieldsThan(10, CallSchema, call)).toThrow(WireError);
  });

  it('can be looked through for a text', () => {
    expect(textIn(attach(3), 1)).toBe('token');
    expect(textIn(attach(3), 9)).toBeUndefined();
    expect(textIn(attach(3), 4)).toBeUndefined();
  });
});
