import { beforeAll, describe, expect, it } from '@jest/globals';
import { ID_BYTES } from '@sotto/protocol';
import type { DeviceRoute } from '@sotto/platform/live-state';
import sodium from 'libsodium-wrappers';
import { randomBytes } from 'node:crypto';
import { CAPABILITY, token } from '../in-flight/relay-world.harness.js';
import { DeliveryRights } from './delivery-token.js';

const DELIVERY_KEY = new Uint8Array(32).fill(9);
const OTHERS = Array.from({ length: 4_095 }, () => new Uint8Array(randomBytes(ID_BYTES)));

beforeAll(() => sodium.ready);

function rightsWith(revoked: Uint8Array[], deliveryKey = DELIVERY_KEY): DeliveryRights {
  return DeliveryRights.of({ deliveryKey, revokedCapabilities: Buffer.concat(revoked) } as Partial<DeviceRoute> as DeviceRoute, undefined);
}

describe('the right to send to a device', () => {
  it('is a token made with its key, at its place among others', () => {
    const tokens = Buffer.concat([token(), new Uint8Array(32), token(new Uint8Array(16).fill(7))]);
    expect([0, 1, 2].map((place) => rightsWith([]).allow(tokens, place))).toEqual([true, false, true]);
    expect(rightsWith([], new Uint8Array(32).fill(8)).allow(tokens, 0)).toBe(false);
  });

  it('ends with its capability, wherever that stands among thousands of revoked ones', () => {
    for (const at of [0, 1, 2_000, 4_094, 4_095]) {
      const rights = rightsWith([...OTHERS.slice(0, at), CAPABILITY, ...OTHERS.slice(at)]);
      expect(rights.allow(token(), 0)).toBe(false);
      expect(rights.allow(token(OTHERS[17]), 0)).toBe(false);
      expect(rights.allow(token(new Uint8Array(16).fill(7)), 0)).toBe(true);
    }
    const almost = new Uint8Array(CAPABILITY);
    almost[15]! ^= 1;
    expect(rightsWith([almost]).allow(token(), 0)).toBe(true);
  });

  it('is nobody’s where the device is not known', () => {
    expect(DeliveryRights.of(undefined, undefined).allow(token(), 0)).toBe(false);
    expect(rightsWith([], new Uint8Array(0)).allow(token(), 0)).toBe(false);
  });

  it('is the same while the route says the same', () => {
    const route = { deliveryKey: DELIVERY_KEY, revokedCapabilities: CAPABILITY } as Partial<DeviceRoute> as DeviceRoute;
    const rights = DeliveryRights.of(route, undefined);
    expect(DeliveryRights.of({ ...route, deliveryKey: new Uint8Array(DELIVERY_KEY) }, rights)).toBe(rights);
    expect(DeliveryRights.of({ ...route, revokedCapabilities: new Uint8Array(0) }, rights)).not.toBe(rights);
    expect(DeliveryRights.of(undefined, rights)).not.toBe(rights);
  });
});
