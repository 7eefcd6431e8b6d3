import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { fromHex, GroupDataSchema, GroupKind, GroupRight, ID_BYTES, toHex } from '@sotto/protocol';
import { MlsError } from '../mls-error.js';

/** Who may do a thing: only admins, or every member. */
export type Right = 'admins' | 'members';

/** What a group's members have agreed on: extension 0xF5A1 of the GroupContext, changed only by commits. */
export interface GroupData {
  readonly kind: 'direct' | 'group';
  readonly name: string;
  /** Account ids, hex: the admins of a group; both ends of a direct conversation. */
  readonly accounts: readonly string[];
  readonly mayAdd: Right;
  readonly mayRemove: Right;
  readonly mayRename: Right;
}

export const GROUP_NAME_BYTES = 128;
const MOST_ACCOUNTS = 1_000;
const RIGHTS = { admins: GroupRight.ADMINS, members: GroupRight.MEMBERS } as const;
const KINDS = { direct: GroupKind.DIRECT, group: GroupKind.GROUP } as const;

export function directData(accounts: readonly [string, string]): GroupData {
  return { kind: 'direct', name: '', accounts: [...accounts].sort(), mayAdd: 'admins', mayRemove: 'admins', mayRename: 'admins' };
}

export function newGroupData(name: string, admin: string): GroupData {
  return { kind: 'group', name, accounts: [admin], mayAdd: 'admins', mayRemove: 'admins', mayRename: 'members' };
}

export function encodeGroupData(data: GroupData): Uint8Array {
  return toBinary(
    GroupDataSchema,
    create(GroupDataSchema, {
      kind: KINDS[data.kind],
      name: data.name,
      accounts: data.accounts.map(fromHex),
      mayAdd: RIGHTS[data.mayAdd],
      mayRemove: RIGHTS[data.mayRemove],
      mayRename: RIGHTS[data.mayRename],
    }),
  );
}

/** Throws MlsError `invalid` for what no member may set. */
export function decodeGroupData(bytes: Uint8Array): GroupData {
  const { kind, name, accounts, mayAdd, mayRemove, mayRename } = parse(bytes);
  const direct = kind === GroupKind.DIRECT;
  if (!direct && kind !== GroupKind.GROUP) throw new MlsError('invalid', 'a group of an unknown kind');
  if (new TextEncoder().encode(name).length > GROUP_NAME_BYTES) throw new MlsError('invalid', 'the name of a group is too long');
  if (accounts.length > MOST_ACCOUNTS || accounts.some((id) => id.length !== ID_BYTES))
    throw new MlsError('invalid', 'a group names accounts that are none');
  if (direct && accounts.length !== 2) throw new MlsError('invalid', 'a direct conversation has two ends');
  return {
    kind: direct ? 'direct' : 'group',
    name,
    accounts: accounts.map(toHex),
    mayAdd: rightOf(mayAdd),
    mayRemove: rightOf(mayRemove),
    mayRename: rightOf(mayRename),
  };
}

function parse(bytes: Uint8Array) {
  try {
    return fromBinary(GroupDataSchema, bytes);
  } catch {
    throw new MlsError('malformed', 'not the data of a group');
  }
}

/** What is unknown is the narrower right. */
function rightOf(right: GroupRight): Right {
  return right === GroupRight.MEMBERS ? 'members' : 'admins';
}
