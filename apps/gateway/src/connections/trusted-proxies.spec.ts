import { describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig } from '@sotto/platform/config';
import { gatewayConfigSchema } from '../gateway.config.js';
import { TrustedProxies } from './trusted-proxies.js';

describe('trusted proxies', () => {
  const proxies = new TrustedProxies('10.9.9.1, 10.244.0.0/16,2001:db8::/32,');

  it.each([
    ['10.9.9.1', true],
    ['10.9.9.2', false],
    ['10.244.0.0', true],
    ['10.244.255.255', true],
    ['10.245.0.0', false],
    ['2001:db8:1::7', true],
    ['2001:db9::1', false],
    ['', false],
    ['unknown', false],
    ['10.9.9.1:4711', false],
  ])('include %j: %j', (address, included) => {
    expect(proxies.includes(address)).toBe(included);
  });

  it('are nobody by default', () => {
    expect(new TrustedProxies().includes('127.0.0.1')).toBe(false);
  });

  it.each(['proxy.example.org', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::1/129', '10.0.0.0/-1', '0.0.0.0/0x'])(
    'are refused at the start when one is %j',
    (list) => {
      expect(() => loadConfig(gatewayConfigSchema, { TRUSTED_PROXIES: list })).toThrow(ConfigError);
    },
  );
});
