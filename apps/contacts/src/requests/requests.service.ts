import { randomInt } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { RpcError } from '@sotto/platform/rpc';
import type { RpcCaller } from '@sotto/platform/rpc';
import { ErrorCode } from '@sotto/protocol';
import { AccountBook } from '../accounts/account-book.js';
import { CONTACT_LIMITS, REQUEST_LIFETIME_MS } from '../config.js';
import { type ContactInit, goneFromList, viewOf } from '../contacts/contact-view.js';
import { CONTACT_STORE } from '../contacts/contact.store.js';
import type { ContactRow, ContactStore, Person, RequestOutcome } from '../contacts/contact.store.js';
import { MissedEvents } from '../events/missed-events.js';
import { ContactsService, legal, listFull, NOBODY } from '../contacts/contacts.service.js';

/** When the other side is told, after the request. */
const TELL_FROM_MS = 30;
const TELL_UNTIL_MS = 150;

/** How contacts begin: one asks, the other accepts or says nothing that the first could see. */
@Injectable()
export class RequestsService {
  constructor(
    @Inject(CONTACT_STORE) private readonly store: ContactStore,
    private readonly accounts: AccountBook,
    private readonly contacts: ContactsService,
    private readonly missed: MissedEvents,
  ) {}

  /** Answers alike whoever has the name; LIMIT_REACHED depends on the asker's own rows alone. */
  async request(caller: RpcCaller, name: string): Promise<void> {
    const [me, peer] = await this.contacts.both(caller, name);
    if (me.name === name) return;
    const outcome = await this.store.request(me, name, peer?.account, times(), CONTACT_LIMITS);
    if (outcome.kind === 'limit') throw new RpcError(ErrorCode.LIMIT_REACHED, 'Too many contacts or open requests: remove some first.');
    if (outcome.kind === 'fresh') this.tellFresh(me, peer, outcome);
    if (outcome.kind === 'renewed') await this.missed.watch(this.tellRenewed(me, peer, outcome.row));
    if (outcome.kind === 'accepted') await this.missed.watch(this.tellBoth(outcome.mine, outcome.theirs));
  }

  async accept(caller: RpcCaller, name: string): Promise<ContactInit> {
    legal(name);
    const me = await this.accounts.standing(caller.account);
    const accepted = me && (await this.store.accept(me, name, times(), CONTACT_LIMITS));
    if (accepted === undefined) throw new RpcError(ErrorCode.FORBIDDEN, 'There is no open request of that name.');
    if (accepted === 'limit') throw listFull();
    if (!accepted.fresh) return (await this.contacts.views([accepted.mine]))[0]!;
    // It stands whatever comes now: asked again, it would tell nobody.
    return this.missed.watch(this.tellBoth(accepted.mine, accepted.theirs));
  }

  /** Told to the owner's own devices alone. */
  async decline(caller: RpcCaller, name: string): Promise<void> {
    if (await this.store.decline(caller.account, legal(name))) this.contacts.tell(caller.account, goneFromList(name, Date.now()));
  }

  /** The other side hears of it when the asker's answer has gone out: neither its time nor that of the next call may tell that there is one. */
  private tellFresh(me: Person, peer: Person | undefined, outcome: RequestOutcome & { kind: 'fresh' }): void {
    this.contacts.tell(me.account, viewOf(outcome.row, undefined, false));
    const told = outcome.reached && peer !== undefined ? peer.account : NOBODY;
    this.later(() => this.tellRequested(me, told));
  }

  private async tellRenewed(me: Person, peer: Person | undefined, row: ContactRow): Promise<void> {
    const [view] = await this.contacts.views([row]);
    this.contacts.tell(me.account, view!);
    this.later(() => this.tellOther(me, peer?.account ?? NOBODY, row));
  }

  /** As a contact again, or by a request, or not at all: with the same look-ups. */
  private async tellOther(me: Person, account: string, mine: ContactRow): Promise<void> {
    const theirs = await this.store.find(account, me.name);
    const hears = theirs?.state === 'ACCEPTED' || theirs?.state === 'REQUESTED';
    const [view] = await this.contacts.views([hears ? theirs : { ...mine, owner: NOBODY, peer: me.account }]);
    this.contacts.tell(hears ? account : NOBODY, view!);
  }

  /** A hint: a request that is not told live stands in the list. The same look-ups for nobody. */
  private async tellRequested(me: Person, account: string): Promise<void> {
    const row = await this.store.find(account, me.name);
    const asker = await this.accounts.standing(me.account);
    const asked = row?.state === 'REQUESTED' && asker !== undefined;
    const view = asked ? viewOf(row, asker.identityKey, false) : goneFromList(me.name, Date.now());
    this.contacts.tell(asked ? account : NOBODY, view);
  }

  private async tellBoth(mine: ContactRow, theirs: ContactRow): Promise<ContactInit> {
    const [here, there] = await Promise.all([this.contacts.views([mine]), this.contacts.views([theirs])]);
    this.contacts.tell(mine.owner, here[0]!);
    this.contacts.tell(theirs.owner, there[0]!);
    return here[0]!;
  }

  private later(tell: () => Promise<void>): void {
    setTimeout(() => void this.missed.watch(tell()).catch(() => undefined), randomInt(TELL_FROM_MS, TELL_UNTIL_MS)).unref();
  }
}

function times(): { now: number; since: number } {
  const now = Date.now();
  return { now, since: now - REQUEST_LIFETIME_MS };
}
