import type { Database } from '@sotto/platform/database';
import type { ContactLimits } from '../config.js';
import type { Acceptance, ContactRow, ContactStore, Ended, Person, RequestOutcome } from './contact.store.js';

type Client = Database['client'];
type Transaction = Parameters<Parameters<Client['$transaction']>[0]>[0];
type Stored = NonNullable<Awaited<ReturnType<Client['contact']['findUnique']>>>;
interface Times {
  now: number;
  since: number;
}

/** Stands for the account of a name that nobody has, so that the statements are the same. No account has it: ids are random. */
const NOBODY = '0'.repeat(32);
/** What is left of a former contact: a request that is long over, and whom it was to. */
const FORMER = { state: 'PENDING' as const, requestedAt: new Date(0) };
const IS_FORMER = { state: 'PENDING' as const, peer: { not: null } };

/** ContactStore on Postgres or PGlite. */
export class PrismaContactStore implements ContactStore {
  constructor(private readonly database: Database) {}

  request(me: Person, name: string, peer: string | undefined, time: Times, limits: ContactLimits): Promise<RequestOutcome> {
    return this.withPair(me.name, name, async (tx) => {
      const mine = await find(tx, me.account, name);
      const theirs = await find(tx, peer ?? NOBODY, me.name);
      const open = await tx.contact.count({ where: { owner: me.account, state: 'PENDING', requestedAt: { gte: new Date(time.since) } } });
      const listed = await tx.contact.count({ where: listedBy(me.account) });
      const known =
        mine !== undefined &&
        (mine.state === 'ACCEPTED' || mine.state === 'BLOCKED' || (mine.state === 'PENDING' && mine.requestedAt >= time.since));
      if (known) return { kind: 'known' };
      // Before the acceptance: at a full list the answer must not tell who would accept.
      const former = mine !== undefined && isFormer(mine) ? mine : undefined;
      if (!isListed(mine) && listed >= limits.contactsPerAccount) return { kind: 'limit' };
      if (former !== undefined) return { kind: 'renewed', row: await this.renew(tx, me, former, peer ?? NOBODY, time, limits) };
      if (wants(theirs, time.since)) return { kind: 'accepted', ...(await this.join(tx, me, name, theirs, time.now)) };
      if (open >= limits.openRequestsPerAccount) return { kind: 'limit' };
      const row = await put(tx, {
        owner: me.account,
        peerName: name,
        peer: null,
        state: 'PENDING',
        requestedAt: time.now,
        changedAt: time.now,
        acceptedByOwner: false,
      });
      const reached = await knock(tx, me, peer ?? NOBODY, time, limits);
      return { kind: 'fresh', row, reached };
    });
  }

  accept(me: Person, name: string, time: Times, limits: ContactLimits): Promise<Acceptance | 'limit' | undefined> {
    return this.withPair(me.name, name, async (tx) => {
      const mine = await find(tx, me.account, name);
      const theirs = await find(tx, mine?.peer ?? NOBODY, me.name);
      if (mine?.state === 'ACCEPTED' && theirs?.state === 'ACCEPTED') return { mine, theirs, fresh: false };
      if (mine?.state !== 'REQUESTED' || mine.requestedAt < time.since) return undefined;
      if ((await tx.contact.count({ where: listedBy(me.account) })) >= limits.contactsPerAccount) return 'limit';
      if (!wants(theirs, time.since)) return undefined;
      return { ...(await this.join(tx, me, name, theirs, time.now)), fresh: true };
    });
  }

  async decline(owner: string, name: string): Promise<boolean> {
    const { count } = await this.database.client.contact.deleteMany({ where: { owner, peerName: name, state: 'REQUESTED' } });
    return count > 0;
  }

  takeOut(me: Person, name: string, peer: string | undefined, now: number): Promise<Ended> {
    return this.withPair(me.name, name, async (tx) => {
      const before = await find(tx, me.account, name);
      const at = endOf(before, now);
      const mine = { owner: me.account, peerName: name };
      await tx.contact.deleteMany({ where: { ...mine, state: 'PENDING', peer: null } });
      await tx.contact.updateMany({ where: { ...mine, state: 'ACCEPTED' }, data: { ...FORMER, changedAt: new Date(at) } });
      await tx.contact.deleteMany({ where: { owner: peer ?? NOBODY, peerName: me.name, state: 'REQUESTED' } });
      return { before, at };
    });
  }

  block(me: Person, name: string, now: number, limits: ContactLimits): Promise<Ended | 'limit'> {
    return this.withPair(me.name, name, async (tx) => {
      const before = await find(tx, me.account, name);
      const listed = await tx.contact.count({ where: listedBy(me.account) });
      if (!isListed(before) && listed >= limits.contactsPerAccount) return 'limit';
      const at = endOf(before, now);
      await put(tx, {
        owner: me.account,
        peerName: name,
        peer: before?.state === 'REQUESTED' ? null : (before?.peer ?? null),
        state: 'BLOCKED',
        requestedAt: at,
        changedAt: at,
        acceptedByOwner: false,
      });
      return { before, at };
    });
  }

  async unblock(owner: string, name: string): Promise<boolean> {
    const blocked = { owner, peerName: name, state: 'BLOCKED' as const };
    const [strangers, formerContacts] = await this.database.client.$transaction([
      this.database.client.contact.deleteMany({ where: { ...blocked, peer: null } }),
      this.database.client.contact.updateMany({ where: blocked, data: FORMER }),
    ]);
    return strangers.count + formerContacts.count > 0;
  }

  find(owner: string, name: string): Promise<ContactRow | undefined> {
    return find(this.database.client, owner, name);
  }

  async list(owner: string, since: number): Promise<ContactRow[]> {
    const lasting = { OR: [{ state: { in: ['ACCEPTED' as const, 'BLOCKED' as const] } }, { requestedAt: { gte: new Date(since) } }] };
    const rows = await this.database.client.contact.findMany({ where: { owner, ...lasting }, orderBy: { peerName: 'asc' } });
    return rows.map(toRow);
  }

  async heldBy(account: string): Promise<ContactRow[]> {
    return (await this.database.client.contact.findMany({ where: { peer: account, state: 'ACCEPTED' } })).map(toRow);
  }

  async mutual(account: string): Promise<string[]> {
    const mine = await this.database.client.contact.findMany({ where: { owner: account, state: 'ACCEPTED' }, select: { peer: true } });
    const accepted = new Set(mine.map((row) => row.peer));
    return (await this.heldBy(account)).map(({ owner }) => owner).filter((owner) => accepted.has(owner));
  }

  async standing(one: string, other: string): Promise<{ one: ContactRow | undefined; other: ContactRow | undefined }> {
    const found = await this.database.client.contact.findMany({
      where: {
        state: 'ACCEPTED',
        OR: [
          { owner: one, peer: other },
          { owner: other, peer: one },
        ],
      },
    });
    const rows = found.map(toRow);
    return { one: rows.find((row) => row.owner === one), other: rows.find((row) => row.owner === other) };
  }

  async forget(account: string): Promise<void> {
    await this.database.client.contact.deleteMany({ where: { OR: [{ owner: account }, { peer: account, state: 'REQUESTED' }] } });
  }

  async purge(since: number, formerSince: number): Promise<number> {
    const over = { state: { in: ['PENDING' as const, 'REQUESTED' as const] }, requestedAt: { lt: new Date(since) }, NOT: IS_FORMER };
    const longFormer = { ...IS_FORMER, changedAt: { lt: new Date(formerSince) } };
    const { count } = await this.database.client.contact.deleteMany({ where: { OR: [over, longFormer] } });
    return count;
  }

  /** The same statements whether the other side has kept the asker, who is a contact again there then, or has not, and is asked, or has blocked it. */
  private async renew(
    tx: Transaction,
    me: Person,
    former: ContactRow,
    peer: string,
    time: Times,
    limits: ContactLimits,
  ): Promise<ContactRow> {
    const at = endOf(former, time.now);
    const row = await put(tx, { ...former, state: 'ACCEPTED', requestedAt: at, changedAt: at, acceptedByOwner: true });
    await tx.contact.updateMany({
      where: { owner: peer, peerName: me.name, state: 'ACCEPTED' },
      data: { changedAt: new Date(time.now), acceptedByOwner: false },
    });
    await knock(tx, me, peer, time, limits);
    return row;
  }

  private async join(
    tx: Transaction,
    me: Person,
    name: string,
    theirs: ContactRow,
    now: number,
  ): Promise<{ mine: ContactRow; theirs: ContactRow }> {
    const mine = await put(tx, {
      owner: me.account,
      peerName: name,
      peer: theirs.owner,
      state: 'ACCEPTED',
      requestedAt: now,
      changedAt: now,
      acceptedByOwner: true,
    });
    const answered = await put(tx, { ...theirs, peer: me.account, state: 'ACCEPTED', changedAt: now, acceptedByOwner: false });
    return { mine, theirs: answered };
  }

  /** One change of a pair at a time, whoever of the two makes it; the lock ends with the transaction. */
  private withPair<T>(one: string, other: string, change: (tx: Transaction) => Promise<T>): Promise<T> {
    const pair = [one, other].sort().join(' ');
    return this.database.client.$transaction(async (tx) => {
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${pair}, 0))`;
      return change(tx);
    });
  }
}

/** Rows that count to the bound of the list: requests that wait in it have their own. */
function listedBy(owner: string) {
  return { owner, state: { not: 'REQUESTED' as const }, NOT: IS_FORMER };
}

function isListed(row: ContactRow | undefined): boolean {
  return row !== undefined && row.state !== 'REQUESTED' && !isFormer(row);
}

function isFormer(row: ContactRow): boolean {
  return row.state === 'PENDING' && row.peer !== null;
}

/** Clocks of replicas differ: an end is later than what it ends. */
function endOf(before: ContactRow | undefined, now: number): number {
  return before === undefined ? now : Math.max(now, before.changedAt + 1);
}

function toRow(row: Stored): ContactRow {
  return { ...row, requestedAt: row.requestedAt.getTime(), changedAt: row.changedAt.getTime() };
}

async function find(tx: Pick<Transaction, 'contact'>, owner: string, peerName: string): Promise<ContactRow | undefined> {
  const row = await tx.contact.findUnique({ where: { owner_peerName: { owner, peerName } } });
  return row === null ? undefined : toRow(row);
}

async function put(tx: Transaction, row: ContactRow): Promise<ContactRow> {
  const { owner, peerName, ...rest } = row;
  const values = { ...rest, requestedAt: new Date(row.requestedAt), changedAt: new Date(row.changedAt) };
  const key = { owner, peerName };
  return toRow(await tx.contact.upsert({ where: { owner_peerName: key }, create: { ...key, ...values }, update: values }));
}

/** Whether this side wants the contact: it asked, or it has accepted and never took that back. */
function wants(row: ContactRow | undefined, since: number): row is ContactRow {
  return row !== undefined && (row.state === 'ACCEPTED' || (row.state === 'PENDING' && row.requestedAt >= since));
}

/**
 * Puts the request into the other list: one statement, which touches nothing for nobody, for one who blocked the asker, and where the inbox is full.
 * A list that has a row for the asker keeps it, but for a request that is out of date and for what is left of a former contact.
 */
async function knock(tx: Transaction, me: Person, peer: string, time: Times, limits: ContactLimits): Promise<boolean> {
  const now = new Date(time.now);
  const since = new Date(time.since);
  const count = await tx.$executeRaw`
    INSERT INTO contacts (owner, peer_name, peer, state, requested_at, changed_at, accepted_by_owner)
    SELECT ${peer}, ${me.name}, ${me.account}, 'REQUESTED'::contact_state, ${now}, ${now}, false
    WHERE ${peer} <> ${NOBODY}
      AND (SELECT count(*) FROM contacts WHERE owner = ${peer} AND state = 'REQUESTED'::contact_state AND requested_at >= ${since}) < ${limits.openRequestsPerAccount}
    ON CONFLICT (owner, peer_name) DO UPDATE
      SET state = excluded.state, requested_at = excluded.requested_at, changed_at = excluded.changed_at, peer = excluded.peer
      WHERE contacts.state = 'REQUESTED'::contact_state OR (contacts.state = 'PENDING'::contact_state AND contacts.peer IS NOT NULL)`;
  return count > 0;
}
