import type { Approval } from '@sotto/client';

/** What the user is told: one line on the screen, or one JSON object a line. Times are Unix milliseconds, ids lower-case hex. */
export type ChatEvent =
  | {
      readonly event: 'connection';
      readonly state: 'connecting' | 'online' | 'offline' | 'refused' | 'closed';
      readonly cause?: string;
      readonly retryInMs?: number;
    }
  | {
      readonly event: 'ready';
      readonly name: string;
      readonly server: string;
      readonly pin: string;
      readonly registered: boolean;
      readonly pending: boolean;
    }
  | { readonly event: 'request'; readonly name: string }
  | { readonly event: 'contact'; readonly name: string; readonly state: ContactView['state'] }
  | { readonly event: 'presence'; readonly name: string; readonly online: boolean }
  | { readonly event: 'message'; readonly from: string; readonly id: string; readonly text: string; readonly sentAt: number }
  | { readonly event: 'sent'; readonly to: string; readonly id: string }
  | { readonly event: 'delivery'; readonly to: string; readonly id: string; readonly status: DeliveryStatus }
  | { readonly event: 'contacts'; readonly contacts: readonly ContactView[] }
  | { readonly event: 'queue'; readonly messages: readonly QueuedView[] }
  | { readonly event: 'safety-number'; readonly name: string; readonly number: string }
  | { readonly event: 'conversation'; readonly name: string }
  | { readonly event: 'history'; readonly name: string; readonly messages: readonly MessageView[] }
  | { readonly event: 'devices'; readonly devices: readonly DeviceView[] }
  | ({ readonly event: 'approval'; readonly own: boolean } & Approval)
  | { readonly event: 'revoked'; readonly device: string }
  | { readonly event: 'recovery-written'; readonly file: string }
  /** `expires`: Unix seconds. */
  | { readonly event: 'invite'; readonly link: string; readonly code: string; readonly expires: number }
  | { readonly event: 'help'; readonly text: string }
  | { readonly event: 'notice'; readonly text: string }
  | { readonly event: 'error'; readonly text: string };

export type DeliveryStatus = 'queued' | 'accepted' | 'delivered' | 'undelivered' | 'waiting-for-online' | 'discarded';

export interface ContactView {
  readonly name: string;
  readonly state: 'pending' | 'requested' | 'accepted' | 'blocked' | 'removed';
  readonly online: boolean;
}

export interface MessageView {
  readonly from: string;
  readonly id: string;
  readonly text: string;
  readonly sentAt: number;
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
  readonly text: string;
  readonly status: DeliveryStatus;
}
