import { BlockList, isIP } from 'node:net';

interface Network {
  address: string;
  family: 'ipv4' | 'ipv6';
  prefix: number;
}

/** Proxies whose X-Forwarded-For is believed: addresses, and networks such as "10.244.0.0/16" where a proxy has no address of its own. */
export class TrustedProxies {
  private readonly networks = new BlockList();

  /** @param list addresses and networks with commas between. Throws RangeError when one is neither. */
  constructor(list = '') {
    for (const { address, prefix, family } of networksIn(list)) this.networks.addSubnet(address, prefix, family);
  }

  includes(address: string): boolean {
    const family = familyOf(address);
    return family !== undefined && this.networks.check(address, family);
  }
}

export function isProxyList(list: string): boolean {
  try {
    networksIn(list);
    return true;
  } catch {
    return false;
  }
}

function networksIn(list: string): Network[] {
  const entries = list.split(',').map((entry) => entry.trim());
  return entries.filter((entry) => entry !== '').map(networkIn);
}

function networkIn(entry: string): Network {
  const [address = '', prefix, ...rest] = entry.split('/');
  const family = familyOf(address);
  if (family === undefined || rest.length > 0) throw new RangeError('neither an address nor a network');
  const bits = family === 'ipv4' ? 32 : 128;
  if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits)) throw new RangeError('no such network');
  return { address, family, prefix: prefix === undefined ? bits : Number(prefix) };
}

function familyOf(address: string): Network['family'] | undefined {
  const version = isIP(address);
  if (version === 0) return undefined;
  return version === 4 ? 'ipv4' : 'ipv6';
}
