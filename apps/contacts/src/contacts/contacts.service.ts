import { Inject, Injectable, Logger } from '@nestjs/common';
import { AccountEvents } from '@sotto/platform/live-state';
import { RpcClient, RpcError } from '@sotto/platform/rpc';
import type { RpcCaller } from '@sotto/platform/rpc';
import { ErrorCode, fromHex, ID_BYTES, LIMITS, TAGGED_NAME_PATTERN } from '@sotto/protocol';
import { KeyPackageLedger } from '@sotto/protocol/internal';
import { AccountBook } from '../accounts/account-book.js';
import { CONTACT_LIMITS, REQUEST_LIFETIME_MS } from '../config.js';
import { MissedEvents } from '../events/missed-events.js';
import { PresenceService } from '../presence/presence.service.js';
import { type ContactInit, goneFromList, viewOf } from './contact-view.js';
import { CONTACT_STORE } from './contact.store.js';
import type { ContactRow, ContactStore, Ended, Person } from './contact.store.js';

/** Stands for the account of a name that nobody has, so that the same is asked of it: it has no rows, no devices, and claimed nothing. */
export const NOBODY = '0'.repeat(32);

/** Everything about contacts but how they begin (requests). */
@Injectable()
export class ContactsService {
  private readonly logger = new Logger(ContactsService.name);

  constructor(
    @Inject(CONTACT_STORE) private readonly store: ContactStore,
    private readonly accounts: AccountBook,
    private readonly events: AccountEvents,
    private readonly presence: PresenceService,
    private readonly rpc: RpcClient,
    private readonly missed: MissedEvents,
  ) {}

  async list(caller: RpcCaller): Promise<ContactInit[]> {
    const rows = await this.store.list(caller.account, Date.now() - REQUEST_LIFETIME_MS);
    return this.views(rows);
  }

  /** Views with keys and presence: one call for all keys, one for all presence. */
  async views(rows: ContactRow[]): Promise<ContactInit[]> {
    const peers = rows.filter((row) => row.state === 'ACCEPTED' || row.state === 'REQUESTED').flatMap((row) => row.peer ?? []);
    const [known, online] = await Promise.all([this.accounts.byIds(peers), this.onlineAmong(peers, rows[0]?.owner)]);
    return rows.map((row) => {
      const peer = row.peer ?? NOBODY;
      return viewOf(row, known.get(peer)?.identityKey, online.has(peer));
    });
  }

  async remove(caller: RpcCaller, name: string, keep: Uint8Array[]): Promise<void> {
    const [me, peer] = await this.both(caller, name);
    await this.seemToLeave(me, name);
    const removed = await this.store.takeOut(me, name, peer?.account, Date.now());
    this.tellOwnDevices(me, goneFromList(name, removed.at));
    await this.revokeClaimed(me, peer, removed, keep);
  }

  /** Capability ids that the blocked account holds: revoked already. */
  async block(caller: RpcCaller, name: string, keep: Uint8Array[]): Promise<Uint8Array[]> {
    const [me, peer] = await this.both(caller, name);
    await this.seemToLeave(me, name);
    const blocked = await this.store.block(me, name, Date.now(), CONTACT_LIMITS);
    if (blocked === 'limit') throw listFull();
    const row = await this.store.find(me.account, name);
    if (row !== undefined) this.tellOwnDevices(me, viewOf(row, undefined, false));
    return this.revokeClaimed(me, peer, blocked, keep);
  }

  async unblock(caller: RpcCaller, name: string): Promise<void> {
    const gone = await this.store.unblock(caller.account, legal(name));
    if (gone) this.tellOwnDevices({ account: caller.account, name: '' }, goneFromList(name, Date.now()));
  }

  /** The caller as others know it, and whoever has the name: always two lookups. Throws ILLEGAL_NAME. */
  async both(caller: RpcCaller, name: string): Promise<[Person, Person | undefined]> {
    legal(name);
    const [me, peer] = await Promise.all([this.accounts.standing(caller.account), this.accounts.byName(name)]);
    if (me === undefined) throw new RpcError(ErrorCode.UNAUTHENTICATED, 'This account is gone: log in again.');
    return [me, peer];
  }

  /** To former contacts too, who see the key in their lists: one that does not hear of the change would know itself removed. */
  tellNewKey(account: string): Promise<void> {
    return this.missed.watch(this.tellHolders(account));
  }

  /** Not awaited by calls: a reply must not take longer because somebody is there to be told. */
  tell(account: string, contact: ContactInit): void {
    this.run(this.events.toAccount(account, { kind: { case: 'contact', value: contact } }));
  }

  tellOwnDevices(me: Person, contact: ContactInit): void {
    this.tell(me.account, contact);
  }

  private async tellHolders(account: string): Promise<void> {
    const [rows, mutual, known] = await Promise.all([
      this.store.heldBy(account),
      this.store.mutual(account),
      this.accounts.byIds([account]),
    ]);
    const contacts = new Set(mutual);
    const key = known.get(account)?.identityKey;
    const online = await this.presence.seen(rows.map(({ owner }) => ({ account, to: owner, isMutual: contacts.has(owner) })));
    rows.forEach((row, i) => this.tell(row.owner, viewOf(row, key, online[i]!)));
  }

  /**
   * Takes back what the former contact has claimed, and in the same step the right of claims that are on their way. The end of the contact
   * stands even when the ledger is away: then the caller gets UNAVAILABLE and asks again.
   */
  private async revokeClaimed(me: Person, peer: Person | undefined, { before, at }: Ended, keep: Uint8Array[]): Promise<Uint8Array[]> {
    const claimer = before?.peer ?? peer?.account ?? NOBODY;
    const ended = { owner: fromHex(me.account), claimer: fromHex(claimer), ended: BigInt(at), keep };
    return (await this.rpc.call(KeyPackageLedger.method.revokeClaimed, ended)).capabilities;
  }

  /** Before the contact ends: from then on its other end would see no presence at all. */
  private async seemToLeave(me: Person, name: string): Promise<void> {
    const row = await this.store.find(me.account, name);
    if (row?.state === 'ACCEPTED' && row.peer !== null) await this.presence.seemToLeave(me.account, [row.peer]);
  }

  /** As their owner sees them: one who has removed or blocked the owner shows as offline from when that is told. */
  private async onlineAmong(peers: readonly string[], owner = NOBODY): Promise<Set<string>> {
    const mutual = new Set(await this.store.mutual(owner));
    const online = await this.presence.seen(peers.map((account) => ({ account, to: owner, isMutual: mutual.has(account) })));
    return new Set(peers.filter((_, i) => online[i]));
  }

  private run(work: Promise<void>): void {
    this.missed
      .watch(work)
      .catch((error: unknown) => this.logger.warn(`an event was not sent: ${error instanceof Error ? error.name : 'unknown'}`));
  }
}

/** Throws RpcError MALFORMED or TOO_LARGE. */
export function legalCapabilities(capabilities: Uint8Array[]): Uint8Array[] {
  if (capabilities.length > LIMITS.revokedCapabilities)
    throw new RpcError(ErrorCode.TOO_LARGE, `At most ${LIMITS.revokedCapabilities} capabilities.`);
  if (capabilities.some((id) => id.length !== ID_BYTES)) throw new RpcError(ErrorCode.MALFORMED, 'A capability id has 16 bytes.');
  return capabilities;
}

export function listFull(): RpcError {
  return new RpcError(ErrorCode.LIMIT_REACHED, 'Your contact list is full: remove a contact first.');
}

export function legal(name: string): string {
  if (!TAGGED_NAME_PATTERN.test(name))
    throw new RpcError(ErrorCode.ILLEGAL_NAME, 'A name is 3 to 32 of a-z, 0-9 and _, with its tag if it has one.');
  return name;
}
