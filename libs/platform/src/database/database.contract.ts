import { expect, it } from '@jest/globals';
import type { Database } from './database.js';
import { databaseErrorKind } from './database-error.js';

const id = (digit: string): string => digit.repeat(32);
const account = (digit: string, name: string, invite: string | null = null) => ({
  id: id(digit),
  name,
  baseName: name,
  passwordHash: '$argon2id$',
  identityKey: Uint8Array.from({ length: 32 }, (_, i) => 255 - i),
  invite,
});

/** One database, empty at the start. */
export function databaseContract(open: () => Database): void {
  it('gives back an account as it was written', async () => {
    const { client } = open();
    const sessionsValidAfter = new Date('2026-01-02T03:04:05.678Z');
    const revokedDevices = { [id('d')]: 1_800_000_000_000 };
    await client.account.create({ data: { ...account('a', 'alice'), sessionsValidAfter, revokedDevices } });
    const found = await client.account.findUniqueOrThrow({ where: { name: 'alice' } });
    expect(found).toMatchObject({ id: id('a'), sessionsValidAfter, revokedDevices, disabled: false, deleted: false });
    expect([...(found.identityKey ?? [])]).toEqual([...account('a', 'alice').identityKey]);
  });

  it('takes a name and an invite once, and says so by kind', async () => {
    const { client } = open();
    await client.account.create({ data: account('b', 'bob', 'invite') });
    const again = [account('c', 'bob'), account('c', 'carol', 'invite')].map((data) => client.account.create({ data }));
    const results = await Promise.allSettled(again);
    expect(results.map((result) => (result.status === 'rejected' ? databaseErrorKind(result.reason) : 'taken'))).toEqual([
      'unique',
      'unique',
    ]);
  });

  it('undoes a transaction as a whole, and keeps one row for an owner and a peer', async () => {
    const { client } = open();
    const rows = [
      { owner: id('a'), peerName: 'bob', state: 'PENDING' as const },
      { owner: id('b'), peerName: 'alice', peer: id('a'), state: 'REQUESTED' as const },
    ];
    const failed = client.$transaction([client.contact.createMany({ data: rows }), client.contact.create({ data: rows[0]! })]);
    expect(databaseErrorKind(await failed.catch((error: unknown) => error))).toBe('unique');
    expect(await client.contact.count()).toBe(0);
    await client.contact.createMany({ data: rows });
    expect(await client.contact.findMany({ where: { peer: id('a') } })).toMatchObject([rows[1]]);
  });

  it('records its migrations as Prisma does', async () => {
    const rows = await open().client.$queryRaw<
      { migration_name: string }[]
    >`SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL`;
    expect(rows).toEqual([{ migration_name: '20261123000000_accounts_and_contacts' }]);
  });
}
