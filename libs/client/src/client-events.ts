import type { Approval } from './approvals/approval.js';
import type { ConnectionState } from './connection/connection.js';
import type { Contact } from './contacts/contact-list.js';
import type { GroupNotice } from './groups/group-ports.js';
import type { Message, MessageChange } from './messaging/message.js';
import type { DeliveryStatus } from './outbox/outbox-entry.js';

export interface ClientEvents {
  state: ConnectionState;
  contact: Contact;
  presence: { name: string; online: boolean };
  /** New here; not of what this device sends itself. */
  message: Message;
  /** Something was said about a message, or it is gone; by this device, too. */
  'message-changed': { message: Message; change: MessageChange };
  /** At this moment; nothing tells when somebody has stopped. `by`: a name. */
  typing: { conversation: string; by: string };
  /** Somebody has read these messages; `own`: the user, on another device. */
  read: { conversation: string; by: string; own: boolean; ids: readonly string[] };
  /** Of messages; how edits, reactions and the like fare, `queue` tells. `conversation`: the contact's name, or the group's id. */
  delivery: { id: string; conversation: string; status: DeliveryStatus };
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
