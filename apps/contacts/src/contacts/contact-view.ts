import type { MessageInitShape } from '@bufbuild/protobuf';
import { type ContactSchema, ContactState, fromHex } from '@sotto/protocol';
import type { ContactRow, RowState } from './contact.store.js';

export type ContactInit = MessageInitShape<typeof ContactSchema>;

const WIRE_STATE: Readonly<Record<RowState, ContactState>> = {
  PENDING: ContactState.PENDING,
  REQUESTED: ContactState.REQUESTED,
  ACCEPTED: ContactState.ACCEPTED,
  BLOCKED: ContactState.BLOCKED,
};

/** A row as its owner sees it. A pending row shows what was typed and when, and nothing that depends on who has the name. */
export function viewOf(row: ContactRow, identityKey: Uint8Array | undefined, online: boolean): ContactInit {
  const accepted = row.state === 'ACCEPTED';
  return {
    name: row.peerName,
    state: WIRE_STATE[row.state],
    account: accepted && row.peer !== null ? fromHex(row.peer) : new Uint8Array(),
    identityKey: accepted || row.state === 'REQUESTED' ? identityKey : undefined,
    online: accepted && online,
    changed: BigInt(row.changedAt),
    acceptedByMe: accepted && row.acceptedByOwner,
  };
}

export function goneFromList(name: string, now: number): ContactInit {
  return { name, state: ContactState.REMOVED, changed: BigInt(now) };
}
