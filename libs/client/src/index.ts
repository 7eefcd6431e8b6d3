// The SDK. Runs in browsers and on Node; the SQLite store and the socket of Node are @sotto/client/node.
export { SottoClient } from './sotto-client.js';
export type { ClientEvents } from './client-events.js';
export type { Approval, ApprovalStage, DeviceApprovals } from './approvals/device-approvals.js';
export type { ClientOptions } from './device.js';
export type { Rung } from './groups/group-ports.js';
export type { GroupInfo, GroupMember, Verification } from './messaging/group-list.js';
export type { Message, QueuedMessage } from './messaging/message.js';
export type { AccountDevice } from './session/account-devices.js';
export type { Account } from './session/sessions.js';
export { ClientError, type ClientErrorReason, ServerError } from './client-error.js';
export type { ConnectionState } from './connection/connection.js';
export { Link } from './connection/link.js';
export type { PinPolicy } from './connection/handshake.js';
export type { Socket, SocketFactory } from './connection/socket.js';
export type { Contact, ContactStatus } from './contacts/contact-list.js';
export type { DeliveryStatus } from './outbox/outbox-entry.js';
export type { Change, Store } from './storage/store.js';
export { MemoryStore } from './storage/memory.store.js';
