import type { Database } from '@sotto/platform/database';
import { unixNow } from '../sessions/unix-now.js';
import type { Account, AccountsStore, NewAccount } from './accounts.store.js';

type Client = Database['client'];
type Row = NonNullable<Awaited<ReturnType<Client['account']['findUnique']>>>;

/** Postgres and PGlite alike. */
export class PrismaAccountsStore implements AccountsStore {
  constructor(private readonly client: Client) {}

  async create(account: NewAccount): Promise<'created' | 'name-taken' | 'invite-used'> {
    const { sessionsValidAfter, identityKey, ...rest } = account;
    const data = { ...rest, identityKey: Uint8Array.from(identityKey), sessionsValidAfter: new Date(sessionsValidAfter * 1_000) };
    // ON CONFLICT DO NOTHING over both unique columns: no error to take apart, and the database decides who was first.
    const { count } = await this.client.account.createMany({ data: [data], skipDuplicates: true });
    if (count === 1) return 'created';
    return account.invite !== null && (await this.findByInvite(account.invite)) !== undefined ? 'invite-used' : 'name-taken';
  }

  async findByInvite(invite: string): Promise<Account | undefined> {
    return this.find({ invite });
  }

  async findByName(name: string): Promise<Account | undefined> {
    return this.find({ name });
  }

  async findById(id: string): Promise<Account | undefined> {
    return this.find({ id });
  }

  async findByIds(ids: string[]): Promise<Account[]> {
    const readAt = unixNow();
    const rows = await this.client.account.findMany({ where: { id: { in: ids } } });
    return rows.map((row) => toAccount(row, readAt));
  }

  async changePassword(id: string, change: { expected: string; passwordHash: string; sessionsValidAfter: number }): Promise<boolean> {
    const { count } = await this.client.account.updateMany({
      where: { id, passwordHash: change.expected, deleted: false },
      data: { passwordHash: change.passwordHash, sessionsValidAfter: new Date(change.sessionsValidAfter * 1_000), revokedDevices: {} },
    });
    return count === 1;
  }

  async renewPasswordHash(id: string, { expected, passwordHash }: { expected: string; passwordHash: string }): Promise<void> {
    await this.client.account.updateMany({ where: { id, passwordHash: expected, deleted: false }, data: { passwordHash } });
  }

  async setIdentityKey(id: string, identityKey: Uint8Array): Promise<void> {
    await this.client.account.updateMany({ where: { id, deleted: false }, data: { identityKey: Uint8Array.from(identityKey) } });
  }

  async revokeDevice(id: string, revoked: { device: string; untilMs: number; nowMs: number; max: number }): Promise<boolean> {
    const { device, untilMs, nowMs, max } = revoked;
    const count = await this.client.$executeRaw`
      UPDATE accounts SET revoked_devices = coalesce(
        (SELECT jsonb_object_agg(key, value) FROM jsonb_each(revoked_devices) WHERE value::text::numeric > ${String(nowMs)}::numeric),
        '{}'::jsonb
      ) || jsonb_build_object(${device}::text, ${String(untilMs)}::numeric)
      WHERE id = ${id} AND NOT deleted AND (
        SELECT count(*) FROM jsonb_each(revoked_devices)
        WHERE value::text::numeric > ${String(nowMs)}::numeric AND key <> ${device}::text
      ) < ${String(max)}::numeric`;
    return count === 1;
  }

  async delete(id: string): Promise<void> {
    await this.client.account.updateMany({
      where: { id },
      data: { deleted: true, passwordHash: null, revokedDevices: {} },
    });
  }

  private async find(where: { id: string } | { name: string } | { invite: string }): Promise<Account | undefined> {
    const readAt = unixNow();
    const row = await this.client.account.findUnique({ where });
    return row === null ? undefined : toAccount(row, readAt);
  }
}

function toAccount(row: Row, readAt: number): Account {
  return {
    id: row.id,
    name: row.name,
    passwordHash: row.passwordHash,
    identityKey: row.identityKey,
    sessionsValidAfter: Math.floor(row.sessionsValidAfter.getTime() / 1_000),
    revokedDevices: new Map(Object.entries(row.revokedDevices as Record<string, number>)),
    disabled: row.disabled,
    deleted: row.deleted,
    readAt,
  };
}
