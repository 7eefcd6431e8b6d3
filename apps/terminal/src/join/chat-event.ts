import type { Approval, ClientEvents } from '@sotto/client';
import type { Destruction } from '../panic/destroyed-text.js';
import type { GroupEvent } from './group-event.js';
import type { InGroup, MessageEvent } from './message-event.js';

/** What the user is told: one line on the screen, or one JSON object a line. Times are Unix milliseconds, ids lower-case hex. */
export type ChatEvent =
  | {
      readonly event: 'connection';
      readonly state: 'connecting' | 'online' | 'offline' | 'refused' | 'closed';
      readonly cause?: string;
      /** Not the other end refuses: it shows another identity than the one that is known here. */
      readonly reason?: 'pin-changed';
      readonly retryInMs?: number;
      /** To a peer at this address; absent: to the server. */
      readonly peer?: string;
    }
  | {
      readonly event: 'ready';
      readonly name: string;
      readonly server: string;
      readonly pin: string;
      readonly registered: boolean;
      readonly pending: boolean;
      /** There is no server: `pin` is this device's own. */
      readonly peer?: true;
    }
  /** Others connect to this device there, and know it by the pin. */
  | { readonly event: 'listening'; readonly host: string; readonly port: number; readonly pin: string }
  | { readonly event: 'request'; readonly name: string }
  | { readonly event: 'contact'; readonly name: string; readonly state: ContactView['state'] }
  | { readonly event: 'presence'; readonly name: string; readonly online: boolean }
  | MessageEvent
  | ({ readonly event: 'delivery'; readonly to: string; readonly id: string; readonly status: DeliveryStatus } & Pick<InGroup, 'groupName'>)
  /** `peer`: there is no server that could be asked for somebody. */
  | { readonly event: 'contacts'; readonly contacts: readonly ContactView[]; readonly peer?: true }
  | { readonly event: 'queue'; readonly messages: readonly QueuedView[] }
  | { readonly event: 'safety-number'; readonly name: string; readonly number: string }
  | ({ readonly event: 'conversation'; readonly name: string } & Pick<InGroup, 'groupName'>)
  | { readonly event: 'devices'; readonly devices: readonly DeviceView[] }
  | ({ readonly event: 'approval'; readonly own: boolean } & Approval)
  | { readonly event: 'revoked'; readonly device: string }
  | { readonly event: 'recovery-written'; readonly file: string }
  /** `expires`: Unix seconds. */
  | { readonly event: 'invite'; readonly link: string; readonly code: string; readonly expires: number }
  | GroupEvent
  | { readonly event: 'help'; readonly text: string }
  /** What this device had is gone, and itself. */
  | ({ readonly event: 'destroyed' } & Destruction)
  | { readonly event: 'notice'; readonly text: string; readonly code?: ClientEvents['problem']['code']; readonly contact?: string }
  | { readonly event: 'error'; readonly text: string };

export type DeliveryStatus = 'queued' | 'accepted' | 'delivered' | 'undelivered' | 'waiting-for-online' | 'discarded';

export interface ContactView {
  readonly name: string;
  readonly state: 'pending' | 'requested' | 'accepted' | 'blocked' | 'removed';
  readonly online: boolean;
}

export interface DeviceView {
  readonly device: string;
  /** Known while it waits to be let in. */
  readonly name?: string;
  /** This one. */
  readonly own: boolean;
  readonly online: boolean;
  readonly pending: boolean;
  readonly revoked: boolean;
}

export interface QueuedView {
  readonly id: string;
  readonly to: string;
  readonly groupName?: string;
  readonly what: 'text' | 'edit' | 'deletion' | 'reaction' | 'unreaction';
  readonly text: string;
  readonly status: DeliveryStatus;
}
