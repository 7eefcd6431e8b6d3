import { describe, expect, it } from '@jest/globals';
import { MOST_LEAVES } from '@sotto/mls';
import type { Device } from '../device.js';
import { GroupList } from './group-list.js';

const ID = 'ab'.repeat(32);
const ALICE = 'a1'.repeat(16);

/** Of alice, who knows every name, with so many devices in her group. */
function groupsWith(devices: number): GroupList {
  const identity = { account: ALICE, accountName: 'alice', accountKey: new Uint8Array(32) };
  const members = Array.from({ length: devices }, (_, i) => ({ id: `leaf ${i}`, identity: { ...identity, device: `device ${i}` } }));
  const data = { kind: 'group', name: 'tea', accounts: [ALICE], mayAdd: 'admins', mayRemove: 'admins', mayRename: 'members' };
  const device = {
    messenger: { groups: () => [{ id: ID, data, members, out: false }] },
    contacts: { byAccount: () => undefined, get: () => undefined },
    signedIn: () => ({ session: { account: ALICE, name: 'alice' } }),
    accepted: (name: string) => ({ account: name }),
  } as unknown as Device;
  const wished: unknown[] = [];
  const messaging = { step: (step: unknown) => Promise.resolve(void wished.push(step)) };
  return new GroupList(device, messaging as never, {} as never);
}

describe('who is added to a group', () => {
  it('fits into it, or is refused before anything is tried', async () => {
    await groupsWith(MOST_LEAVES - 1).add(ID, ['bob']);
    await expect(groupsWith(MOST_LEAVES - 1).add(ID, ['bob', 'carol'])).rejects.toMatchObject({
      reason: 'not-allowed',
      message: `a group holds ${MOST_LEAVES} devices, and this one has ${MOST_LEAVES - 1}`,
    });
  });
});
