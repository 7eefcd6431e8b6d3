import type { MlsEngine, MlsProvider, OwnKeyPackage } from '@sotto/mls';
import { type Outcome, type ReceiptStatus, toHex } from '@sotto/protocol';
import type { Address, DeviceName, GroupNotice, Rung, Step } from '../groups/group-ports.js';
import type { GroupRules } from '../groups/group-rules.js';
import type { Content } from '../groups/contents.js';
import type { DeliveryStatus } from '../outbox/outbox-entry.js';
import type { Journal } from '../storage/journal.js';

/** A Send as it leaves the device. Ids in lower-case hex. */
export interface OutgoingSend {
  readonly id: string;
  readonly recipients: readonly Address[];
  readonly payload: Uint8Array;
  /** Whether the relay may hold it for its retry window, or delivers it now or never. */
  readonly held: boolean;
  readonly slot?: { readonly slot: Uint8Array; readonly commit: string } | undefined;
}

/** A Receipt as it arrives. */
export interface IncomingReceipt {
  /** Of the Send; empty with RELAY_LOST. */
  readonly id: string;
  /** With DELIVERED, UNDELIVERED and CANNOT. */
  readonly device: string;
  readonly status: ReceiptStatus;
  /** Incarnation of the relay, with ACCEPTED and RELAY_LOST. */
  readonly relay: number;
  /** With REFUSED. */
  readonly retryAfterMs: number;
  /** With REFUSED: for good, whatever is tried. */
  readonly final: boolean;
  /** With SLOT_TAKEN: the commit that holds the slot. */
  readonly commit: string;
}

export type MessengerNotice =
  | GroupNotice
  /** `group` and `account`: as in Content. */
  | ({ readonly kind: 'delivery'; readonly content: string; readonly status: DeliveryStatus } & Pick<Content, 'group' | 'account'>)
  | { readonly kind: 'typing'; readonly group: string; readonly from: DeviceName & { readonly name: string } };

/** The one-time and last-resort packages that this device has published. */
export interface PackageStock {
  candidates(): readonly OwnKeyPackage[];
  /** A one-time package is used up by the join. True for one of last resort: it stays, and others may have got the same token with it. */
  spend(used: OwnKeyPackage, journal: Journal): boolean;
  /** Somebody used a package that is not among them: what is published is not what this device holds, and others must get others. */
  outdated(journal: Journal): void;
}

/** All that the messenger needs of the world: real in SottoClient, simulated in test/simulation. It reads no clock and does no I/O itself. */
export interface MessengerPorts {
  readonly engine: MlsEngine;
  readonly provider: MlsProvider;
  readonly own: DeviceName;
  readonly rules: GroupRules;
  readonly stock: PackageStock;
  readonly random: (length: number) => Uint8Array;
  /** Conversations of two are all there is: nobody brings this device into a group. */
  readonly directOnly?: boolean;
  /** A delivery token of this device under a fresh capability. */
  newToken(): Uint8Array;
  /** Withdraws a capability of this device: who holds its token reaches it no more. */
  revoke(capability: string, step: Step): void;
  /** Called when the step is durable, as `ack` and `claim` are. */
  send(send: OutgoingSend): void;
  ack(handle: bigint, outcome: Outcome): void;
  /** Asks for a key package of each device of an account; the answer comes by Messenger.claimed. */
  claim(account: string): void;
  isOnline(account: string): boolean | undefined;
  /** Both are contacts of each other now. */
  isContact(account: string): boolean;
  /** A contact under the key that was pinned, or this account itself: its devices are let in, and its groups joined without asking. */
  trusts(account: string, accountKey: Uint8Array): boolean;
  /** Called within the step: what is to be kept of it goes into the same journal, the program is told after that. */
  notify(notice: MessengerNotice, step: Step): void;
  count(rung: Rung): void;
}

const ID_BYTES = 16;

/** To these devices if they are there now, as soon as the step is durable. Returns the id of the Send. */
export function transmit(ports: MessengerPorts, payload: Uint8Array, recipients: readonly Address[], step: Step): string {
  const id = toHex(ports.random(ID_BYTES));
  step.journal.afterwards(() => ports.send({ id, recipients, payload, held: false }));
  return id;
}

/** MLSMessages with key packages, by device. */
export type Claimed = readonly { readonly device: string; readonly bytes: Uint8Array }[];
