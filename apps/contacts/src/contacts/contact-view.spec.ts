import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { LIMITS, ListContactsResponseSchema, TAGGED_NAME_PATTERN } from '@sotto/protocol';
import type { ContactRow } from './contact.store.js';
import { viewOf } from './contact-view.js';

/** What stands around the contacts in a box: reply, frame, the outer channel. */
const AROUND_BYTES = 256;

describe('a contact list', () => {
  it('fits into one box when it is full, of contacts and requests with the longest names', () => {
    const peerName = `${'a'.repeat(32)}.12345678`;
    expect(peerName).toMatch(TAGGED_NAME_PATTERN);
    const now = Date.now();
    const row: ContactRow = {
      owner: 'a1'.repeat(16),
      peerName,
      peer: 'b1'.repeat(16),
      state: 'ACCEPTED',
      requestedAt: now,
      changedAt: now,
      acceptedByOwner: true,
    };
    const view = viewOf(row, new Uint8Array(32), true);
    const contacts = Array.from({ length: LIMITS.contactsPerAccount + LIMITS.openRequestsPerAccount }, () => view);
    const list = toBinary(ListContactsResponseSchema, create(ListContactsResponseSchema, { contacts }));
    expect(list.length + AROUND_BYTES).toBeLessThan(LIMITS.boxBytes);
  });
});
