// The SDK. Runs in browsers and on Node; the SQLite store and the socket of Node are @sotto/client/node.
export { SottoClient, type Account, type ClientEvents, type ClientOptions, type Message, type QueuedMessage } from './sotto-client.js';
export { ClientError, type ClientErrorReason, ServerError } from './client-error.js';
export type { ConnectionState } from './connection/connection.js';
export { Link } from './connection/link.js';
export type { PinPolicy } from './connection/handshake.js';
export type { Socket, SocketFactory } from './connection/socket.js';
export type { Contact, ContactStatus } from './contacts/contact-list.js';
export type { DeliveryStatus } from './outbox/outbox.js';
export type { Change, Store } from './storage/store.js';
export { MemoryStore } from './storage/memory.store.js';
