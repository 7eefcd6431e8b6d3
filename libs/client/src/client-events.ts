import type { Approval } from './approvals/approval.js';
import type { ConnectionState } from './connection/connection.js';
import type { Contact } from './contacts/contact-list.js';
import type { GroupNotice } from './groups/group-ports.js';
import type { Message } from './messaging/message.js';
import type { DeliveryStatus } from './outbox/outbox-entry.js';

export interface ClientEvents {
  state: ConnectionState;
  contact: Contact;
  presence: { name: string; online: boolean };
  message: Message;
  delivery: { id: string; status: DeliveryStatus };
  /** What happens in a group beside messages. `conversation`: the contact's name, or the group's id. */
  group: Exclude<GroupNotice, { kind: 'message' }> & { readonly conversation: string };
  /** A device of the account waits to be let in, and how that goes on; on both ends. */
  approval: Approval;
  /** Something the user should know; `code` is stable, `text` is for people. */
  problem: {
    code:
      | 'key-changed'
      | 'device-renewed'
      | 'unreadable'
      | 'storage-failed'
      | 'call-failed'
      | 'session-revoked'
      | 'pending-device'
      | 'approval-broken';
    text: string;
    contact?: string;
  };
}
