import { describe, expect, it } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { clientAddress } from './client-address.js';
import { TrustedProxies } from './trusted-proxies.js';

const PROXIES = new TrustedProxies('10.9.9.1, 10.9.9.2');

function addressOf(peer: string, forwardedFor?: string): string {
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  return clientAddress({ socket: { remoteAddress: peer }, headers } as unknown as IncomingMessage, PROXIES);
}

describe("a client's address", () => {
  it.each([
    ['the peer', '192.0.2.1', undefined, '192.0.2.1'],
    ['the peer, whatever it says, when it is no trusted proxy', '192.0.2.1', '198.51.100.7', '192.0.2.1'],
    ['what a trusted proxy says', '10.9.9.1', '198.51.100.7', '198.51.100.7'],
    [
      'the last hop before trusted proxies: what stands further left is made up',
      '10.9.9.1',
      '1.1.1.1, 198.51.100.7, 10.9.9.2',
      '198.51.100.7',
    ],
    ['the proxy, when it says nothing', '10.9.9.1', undefined, '10.9.9.1'],
    ['IPv4 mapped into IPv6', '::ffff:192.0.2.1', undefined, '192.0.2.1'],
    ['a network of IPv6', '10.9.9.1', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ])('is %s', (_, peer, forwardedFor, address) => {
    expect(addressOf(peer, forwardedFor)).toBe(address);
  });
});
