import { describe, expect, it } from '@jest/globals';
import { blockOf, networkOf } from './addresses.js';

describe('addresses', () => {
  it.each([
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['1::8', '1:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4::/64'],
    ['192.0.2.1', '192.0.2.1'],
    ['unix', 'unix'],
  ])('counts %s as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it.each([
    ['2001:db8:1:2::/64', '2001:db8:1'],
    ['192.0.2.1', '192.0.2'],
    ['unix', 'unix'],
  ])('take %s for one of the block %s', (network, block) => {
    expect(blockOf(network)).toBe(block);
  });
});
