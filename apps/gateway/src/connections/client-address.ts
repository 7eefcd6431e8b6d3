import type { IncomingMessage } from 'node:http';

/** The address that limits count: the peer's, or what a trusted proxy says it forwarded for (the last hop that is no trusted proxy). */
export function clientAddress(request: IncomingMessage, trustedProxies: readonly string[]): string {
  const peer = plain(request.socket.remoteAddress ?? '');
  if (!trustedProxies.includes(peer)) return peer;
  const hops = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((hop) => plain(hop.trim()));
  for (const hop of hops.reverse()) if (hop !== '' && !trustedProxies.includes(hop)) return hop;
  return peer;
}

/** IPv4 as such, also when it arrives mapped into IPv6. */
function plain(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
