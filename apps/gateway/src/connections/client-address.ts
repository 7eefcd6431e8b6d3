import { networkOf, plainAddress } from '@sotto/protocol';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TrustedProxies } from './trusted-proxies.js';

/** The address that limits count (see networkOf): the peer's, or what a trusted proxy says it forwarded for (the last hop that is no trusted proxy). */
export function clientAddress(request: IncomingMessage, trustedProxies: TrustedProxies): string {
  const peer = peerAddress(request.socket);
  if (!trustedProxies.includes(peer)) return networkOf(peer);
  const hops = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((hop) => plainAddress(hop.trim()));
  for (const hop of hops.reverse()) if (hop !== '' && !trustedProxies.includes(hop)) return networkOf(hop);
  return networkOf(peer);
}

/** Who is at the other end of the TCP connection: a client, or a proxy. */
export function peerAddress(socket: Socket): string {
  return plainAddress(socket.remoteAddress ?? '');
}
