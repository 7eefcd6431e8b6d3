import { describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { type Contact as WireContact, ContactSchema, ContactState, fromHex } from '@sotto/protocol';
import { Journal } from '../storage/journal.js';
import { MemoryStore } from '../storage/memory.store.js';
import { ContactList } from './contact-list.js';

const BOB = '22'.repeat(16);

function row(state: ContactState, account = ''): WireContact {
  return create(ContactSchema, { name: 'bob', state, account: fromHex(account), identityKey: new Uint8Array(32) });
}

describe('a contact list', () => {
  it('knows who was blocked by the account, which the server names no more', () => {
    const journal = new Journal(new MemoryStore());
    const list = new ContactList(new Map());
    list.apply(row(ContactState.ACCEPTED, BOB), journal);
    expect(list.blocked(BOB, 'bob')).toBeUndefined();
    list.replace([row(ContactState.BLOCKED)], journal);
    expect(list.get('bob')).toMatchObject({ status: 'blocked', account: BOB });
    // Whatever name goes with it in a group.
    expect(list.blocked(BOB, 'robert')).toMatchObject({ name: 'bob' });
    expect(list.blocked('33'.repeat(16), 'bob')).toBeUndefined();
    list.replace([], journal);
    expect(list.blocked(BOB, 'bob')).toBeUndefined();
  });

  it('knows somebody who was blocked elsewhere, before this device was there, by the name', () => {
    const list = new ContactList(new Map());
    list.apply(row(ContactState.BLOCKED), new Journal(new MemoryStore()));
    expect(list.blocked(BOB, 'bob')).toMatchObject({ name: 'bob', account: '' });
    expect(list.blocked(BOB, 'robert')).toBeUndefined();
  });
});
