import 'reflect-metadata';
import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ErrorCode } from '@sotto/protocol';
import type { RpcCaller } from '@sotto/platform/rpc';
import { randomBytes } from 'node:crypto';
import type { Account, AccountsStore } from './accounts.store.js';

const PASSWORD = 'alice has a long passphrase';
const COST = { memoryKib: 19_456, passes: 2, lanes: 1 };

/** Hashes that argon2 was asked to check, and what the store was asked. */
const checked: string[] = [];
const asked: string[] = [];
const renewed: string[] = [];
let rows: Map<string, Partial<Account>>;
let checks: InstanceType<typeof import('./password-check.js').PasswordCheck>;

beforeAll(async () => {
  const argon2 = await import('argon2');
  const verify: typeof argon2.verify = (hash, password) => (checked.push(hash), argon2.verify(hash, password));
  jest.unstable_mockModule('argon2', () => ({ ...argon2, verify }));
  const { PasswordCheck } = await import('./password-check.js');
  const { PasswordHasher } = await import('./password-hasher.js');
  const { NameLimits } = await import('../limits/name-limits.store.js');
  const { WorkLimit } = await import('../limits/work-limit.js');
  const hasher = await PasswordHasher.start(COST, new WorkLimit(1, 10));
  const older = await PasswordHasher.start({ ...COST, memoryKib: 8_192 }, new WorkLimit(1, 10));
  const passwordHash = await hasher.hash(PASSWORD, '');
  rows = new Map([
    ['alice', { id: 'alice', passwordHash }],
    ['bob', { id: 'bob', passwordHash, disabled: true }],
    ['carol', { id: 'carol', passwordHash: null, deleted: true }],
    ['erin', { id: 'erin', passwordHash: await older.hash(PASSWORD, '') }],
  ]);
  const find = (name: string) => (asked.push('an account'), Promise.resolve(rows.get(name) as Account | undefined));
  const renewPasswordHash: AccountsStore['renewPasswordHash'] = (id) => (renewed.push(id), Promise.resolve());
  const store = { findByName: find, findById: find, renewPasswordHash } as Partial<AccountsStore> as AccountsStore;
  checks = new PasswordCheck(store, hasher, new NameLimits({ kind: 'memory' }, randomBytes(32)));
});

beforeEach(() => {
  checked.length = 0;
  asked.length = 0;
  renewed.length = 0;
});

/** Memory, passes and lanes in a PHC string. */
function costOf(hash: string): string {
  return hash.split('$').slice(1, 4).join(' ');
}

describe('a password that was changed while it was checked', () => {
  it('is none of the caller any more', async () => {
    const before = rows.get('alice')!;
    const checking = checks.ofCaller({ account: 'alice', address: '192.0.2.1' } as RpcCaller, PASSWORD);
    while (asked.length === 0) await new Promise((done) => setTimeout(done, 1));
    rows.set('alice', { ...before, passwordHash: 'of another' });
    await expect(checking).rejects.toMatchObject({ code: ErrorCode.WRONG_PASSWORD });
    rows.set('alice', before);
  });
});

describe('a password that is not right', () => {
  it.each([
    ['of an account', 'alice', 'not her passphrase'],
    ['of a name that nobody has', 'dave', PASSWORD],
    ['of an account that was disabled', 'bob', PASSWORD],
    ['of an account that was deleted', 'carol', PASSWORD],
  ])('%s costs one look-up and one argon2id of the same memory and passes, and is answered alike', async (_whose, name, password) => {
    const caller = { account: name, address: '192.0.2.1' } as RpcCaller;
    for (const attempt of [checks.byName(name, password, '192.0.2.1'), checks.ofCaller(caller, password)])
      await expect(attempt).rejects.toMatchObject({ code: ErrorCode.WRONG_PASSWORD, message: 'Name or password is wrong.' });
    expect(asked).toEqual(['an account', 'an account']);
    expect(checked.map(costOf)).toEqual(Array(2).fill('argon2id v=19 m=19456,t=2,p=1'));
  });

  it('costs none where it could never be one, whoever has the name', async () => {
    for (const name of ['alice', 'dave'])
      await expect(checks.byName(name, 'x'.repeat(1_025), '192.0.2.1')).rejects.toMatchObject({ code: ErrorCode.WRONG_PASSWORD });
    expect([asked, checked]).toEqual([[], []]);
  });
});

it('lets in who has the right one', async () => {
  expect((await checks.byName('alice', PASSWORD, '192.0.2.2')).id).toBe('alice');
});

it('hashes one anew that was hashed at another cost, once it was right', async () => {
  await expect(checks.byName('erin', 'not her passphrase', '192.0.2.3')).rejects.toMatchObject({ code: ErrorCode.WRONG_PASSWORD });
  for (const name of ['alice', 'erin']) await checks.byName(name, PASSWORD, '192.0.2.3');
  while (renewed.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(renewed).toEqual(['erin']);
});
