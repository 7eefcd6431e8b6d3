import { describe, expect, it } from '@jest/globals';
import { create, toBinary } from '@bufbuild/protobuf';
import { GroupDataSchema, GroupKind, GroupRight } from '@sotto/protocol';
import { decodeGroupData, directData, encodeGroupData, GROUP_NAME_BYTES, type GroupData, newGroupData } from './group-data.js';

const ALICE = 'a1'.repeat(16);
const BOB = 'b0'.repeat(16);
const because = (reason: string) => expect.objectContaining({ name: 'MlsError', reason });
const account = (fill: number, length = 16) => new Uint8Array(length).fill(fill);
const encoded = (fields: Parameters<typeof create<typeof GroupDataSchema>>[1]) =>
  toBinary(GroupDataSchema, create(GroupDataSchema, { kind: GroupKind.GROUP, accounts: [account(1)], ...fields }));

describe('the data of a group', () => {
  it('comes back as it was, with every kind and right', () => {
    const all: GroupData[] = [
      newGroupData('hiking', ALICE),
      directData([BOB, ALICE]),
      { kind: 'group', name: '', accounts: [], mayAdd: 'members', mayRemove: 'members', mayRename: 'admins' },
      { kind: 'group', name: 'ünïted 🚲', accounts: [ALICE, BOB], mayAdd: 'admins', mayRemove: 'members', mayRename: 'members' },
    ];
    for (const data of all) expect(decodeGroupData(encodeGroupData(data))).toEqual(data);
  });

  it('of a new group lets its maker alone add and remove, and everyone rename', () => {
    expect(newGroupData('hiking', ALICE)).toEqual({
      kind: 'group',
      name: 'hiking',
      accounts: [ALICE],
      mayAdd: 'admins',
      mayRemove: 'admins',
      mayRename: 'members',
    });
  });

  it('of a direct conversation is the same whichever end makes it', () => {
    expect(encodeGroupData(directData([ALICE, BOB]))).toEqual(encodeGroupData(directData([BOB, ALICE])));
  });

  it('may have a name of 128 bytes, not of 129, counted as they travel', () => {
    const named = (name: string) => () => decodeGroupData(encoded({ name }));
    expect(named('x'.repeat(GROUP_NAME_BYTES))).not.toThrow();
    expect(named('ü'.repeat(GROUP_NAME_BYTES / 2))).not.toThrow();
    expect(named('x'.repeat(GROUP_NAME_BYTES + 1))).toThrow(because('invalid'));
    expect(named(`x${'ü'.repeat(GROUP_NAME_BYTES / 2)}`)).toThrow(because('invalid'));
  });

  it('names accounts by ids of 16 bytes, at most a thousand', () => {
    const naming = (accounts: Uint8Array[]) => () => decodeGroupData(encoded({ accounts }));
    expect(naming(Array.from({ length: 1_000 }, () => account(1)))).not.toThrow();
    expect(naming(Array.from({ length: 1_001 }, () => account(1)))).toThrow(because('invalid'));
    for (const length of [0, 15, 17]) expect(naming([account(1), account(2, length)])).toThrow(because('invalid'));
  });

  it('of a direct conversation has two ends, no more and no less', () => {
    const between = (...accounts: Uint8Array[]) => decodeGroupData(encoded({ kind: GroupKind.DIRECT, accounts }));
    expect(between(account(1), account(2)).kind).toBe('direct');
    expect(() => between(account(1))).toThrow(because('invalid'));
    expect(() => between(account(1), account(2), account(3))).toThrow(because('invalid'));
  });

  it('of an unknown kind is refused, so that nobody guesses what may be done there', () => {
    expect(() => decodeGroupData(encoded({ kind: GroupKind.UNSPECIFIED }))).toThrow(because('invalid'));
    expect(() => decodeGroupData(encoded({ kind: 9 as GroupKind }))).toThrow(because('invalid'));
  });

  it('of a later version, with a right that is unknown here, gives that right to admins alone', () => {
    const { mayAdd, mayRemove, mayRename } = decodeGroupData(
      encoded({ mayAdd: GroupRight.UNSPECIFIED, mayRemove: 7 as GroupRight, mayRename: GroupRight.MEMBERS }),
    );
    expect({ mayAdd, mayRemove, mayRename }).toEqual({ mayAdd: 'admins', mayRemove: 'admins', mayRename: 'members' });
  });

  it('that is cut short or is none says so', () => {
    const whole = encodeGroupData(newGroupData('hiking', ALICE));
    expect(() => decodeGroupData(whole.subarray(0, whole.length - 1))).toThrow(because('malformed'));
    expect(() => decodeGroupData(new TextEncoder().encode('a group'))).toThrow(because('malformed'));
    expect(() => decodeGroupData(new Uint8Array())).toThrow(because('invalid'));
  });
});
