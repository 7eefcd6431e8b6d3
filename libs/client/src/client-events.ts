import type { ConnectionState } from './connection/connection.js';
import type { Contact } from './contacts/contact-list.js';
import type { Message } from './messaging/message.js';
import type { DeliveryStatus } from './outbox/outbox.js';

export interface ClientEvents {
  state: ConnectionState;
  contact: Contact;
  presence: { name: string; online: boolean };
  message: Message;
  delivery: { id: string; status: DeliveryStatus };
  /** Something the user should know; `code` is stable, `text` is for people. */
  problem: {
    code: 'key-changed' | 'device-renewed' | 'unreadable' | 'storage-failed' | 'call-failed' | 'session-revoked' | 'pending-device';
    text: string;
    contact?: string;
  };
}
