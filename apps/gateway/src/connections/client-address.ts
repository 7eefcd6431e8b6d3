import type { IncomingMessage } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import type { TrustedProxies } from './trusted-proxies.js';

/**
 * The address that limits count: the peer's, or what a trusted proxy says it forwarded for (the last hop that is no trusted proxy).
 * Of IPv6 its network of 64 bits: every customer has at least one, and may take any address in it.
 */
export function clientAddress(request: IncomingMessage, trustedProxies: TrustedProxies): string {
  const peer = peerAddress(request.socket);
  if (!trustedProxies.includes(peer)) return networkOf(peer);
  const hops = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((hop) => plain(hop.trim()));
  for (const hop of hops.reverse()) if (hop !== '' && !trustedProxies.includes(hop)) return networkOf(hop);
  return networkOf(peer);
}

/** Who is at the other end of the TCP connection: a client, or a proxy. */
export function peerAddress(socket: Socket): string {
  return plain(socket.remoteAddress ?? '');
}

/** "2001:db8:1:2::/64" for 2001:db8:1:2::5; everything else as it is. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [before = '', after] = address.split('%', 1)[0]!.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  // A dotted quad at the end stands for two groups.
  const missing = after === undefined ? 0 : 8 - head.length - tail.length - (address.includes('.') ? 1 : 0);
  const groups = [...head, ...Array<string>(Math.max(0, missing)).fill('0'), ...tail].slice(0, 4);
  return `${groups.map((group) => parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** IPv4 as such, also when it arrives mapped into IPv6. */
function plain(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
