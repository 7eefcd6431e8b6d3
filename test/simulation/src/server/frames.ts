import type { Outcome, ReceiptStatus } from '@sotto/protocol';

/** Device ids, message ids and commit ids are lower-case hex. */
export interface SendFrame {
  readonly kind: 'send';
  readonly id: string;
  readonly recipients: readonly { readonly device: string; readonly token: Uint8Array }[];
  readonly payload: Uint8Array;
  readonly held: boolean;
  readonly slot?: { readonly slot: Uint8Array; readonly commit: string } | undefined;
}

export interface AckFrame {
  readonly kind: 'ack';
  readonly handle: bigint;
  readonly outcome: Outcome;
}

export interface DeliverFrame {
  readonly kind: 'deliver';
  readonly handle: bigint;
  readonly payload: Uint8Array;
}

export interface ReceiptFrame {
  readonly kind: 'receipt';
  readonly id: string;
  readonly device: string;
  readonly status: ReceiptStatus;
  readonly relay: number;
  readonly retryAfterMs: number;
  readonly commit: string;
}

/** An account that this device may see came online or went offline. */
export interface PresenceFrame {
  readonly kind: 'presence';
  readonly account: string;
  readonly online: boolean;
}

export type FrameToServer = SendFrame | AckFrame;
export type FrameToDevice = DeliverFrame | ReceiptFrame | PresenceFrame;
