import { nodeProvider } from '@sotto/mls/node';
import { WebSocket } from 'ws';
import { LIMITS } from '@sotto/protocol';
import type { Socket, SocketFactory } from '../connection/socket.js';
import type { ClientOptions } from '../device.js';
import { SottoClient } from '../sotto-client.js';
import { nodeArgon2id } from './argon2id.js';

export { SqliteStore } from './sqlite.store.js';

export const nodeSocketFactory: SocketFactory = (url, subprotocol) =>
  new WebSocket(url, subprotocol, { perMessageDeflate: false, maxPayload: LIMITS.boxBytes }) as unknown as Socket;

/** SottoClient.open with the WebSocket, the MLS provider and the argon2id of Node. */
export function openClient(options: ClientOptions): Promise<SottoClient> {
  return SottoClient.open({ socket: nodeSocketFactory, mlsProvider: nodeProvider, argon2id: nodeArgon2id, ...options });
}
