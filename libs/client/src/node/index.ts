import { nodeProvider } from '@sotto/mls/node';
import { WebSocket } from 'ws';
import { LIMITS } from '@sotto/protocol';
import type { Socket, SocketFactory } from '../connection/socket.js';
import type { ClientOptions } from '../device.js';
import type { PeerSocketFactory } from '../peer/dialing.js';
import { PeerClient, type PeerOptions } from '../peer/peer-client.js';
import { SottoClient } from '../sotto-client.js';
import { nodeArgon2id } from './argon2id.js';

export { PeerDoor } from './peer-door.js';
export { SqliteStore } from './sqlite.store.js';
export { examineStore, type StoreHealth } from './store-health.js';
export { exportToFile, importFromFile } from './archive-file.js';
export { destroyStoreKey, isStoreInUse, removeStore } from './destroy-store.js';
export { createKeyFile, type KeyFile, readKeyFile } from './key-file.js';
export type { StoreSecret } from './store-secret.js';

export const nodeSocketFactory: SocketFactory = (url, subprotocol) =>
  new WebSocket(url, subprotocol, { perMessageDeflate: false, maxPayload: LIMITS.boxBytes }) as unknown as Socket;

/** SottoClient.open with the WebSocket, the MLS provider and the argon2id of Node. */
export function openClient(options: ClientOptions): Promise<SottoClient> {
  return SottoClient.open({ socket: nodeSocketFactory, mlsProvider: nodeProvider, argon2id: nodeArgon2id, ...options });
}

const nodePeerSocketFactory: PeerSocketFactory = (url, subprotocols) =>
  new WebSocket(url, [...subprotocols], { perMessageDeflate: false, maxPayload: LIMITS.boxBytes }) as unknown as Socket;

/** PeerClient.open with the WebSocket and the MLS provider of Node. */
export function openPeer(options: PeerOptions): Promise<PeerClient> {
  return PeerClient.open({ socket: nodePeerSocketFactory, mlsProvider: nodeProvider, ...options });
}
