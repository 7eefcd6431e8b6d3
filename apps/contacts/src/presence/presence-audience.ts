import { Inject, Injectable } from '@nestjs/common';
import { AccountEvents, DEVICE_ROUTE_STORE } from '@sotto/platform/live-state';
import type { DeviceRouteStore } from '@sotto/platform/live-state';
import { fromHex } from '@sotto/protocol';
import { CONTACT_STORE } from '../contacts/contact.store.js';
import type { ContactStore } from '../contacts/contact.store.js';
import { OnlineAccounts } from './online-accounts.js';
import { PRESENCE_STORE } from './presence.store.js';
import type { PresenceStore, Sight } from './presence.store.js';

/** Somebody in a list, as its owner may see him. */
export interface Listed extends Sight {
  /** Each accepted the other. */
  readonly isMutual: boolean;
}

/** What lists say, and of whom they say it only because nothing else was told yet: no device of theirs is there. */
export interface Seen {
  /** In the order of the question. */
  readonly online: boolean[];
  readonly doubtful: string[];
}

/** Those who may know of an account's presence: it accepted them, and they it. */
@Injectable()
export class PresenceAudience {
  constructor(
    @Inject(CONTACT_STORE) private readonly contacts: ContactStore,
    @Inject(PRESENCE_STORE) private readonly presence: PresenceStore,
    @Inject(DEVICE_ROUTE_STORE) private readonly routes: DeviceRouteStore,
    private readonly online: OnlineAccounts,
    private readonly events: AccountEvents,
  ) {}

  /** Returns false when it was told of one who is not there: the word of its coming may be old, and that of its leaving have been heard before. */
  async tellOnline(account: string): Promise<boolean> {
    if (!(await this.presence.online(account))) return true;
    await this.tell(await this.contacts.mutual(account), account, true);
    return (await this.online.among([account])).has(account);
  }

  /**
   * What a list says is what was told, so that whoever reads it between two events misses neither; of one whose coming is about to be told, it
   * says that at once.
   */
  async seen(listed: readonly Listed[]): Promise<Seen> {
    const accounts = [...new Set(listed.map(({ account }) => account))];
    const [there, shown, kept] = await Promise.all([
      this.online.among(accounts),
      this.presence.shown(accounts),
      this.presence.kept(listed),
    ]);
    const isSeen = ({ account, isMutual }: Listed, i: number) => (isMutual ? there.has(account) || shown.has(account) : kept[i]!);
    return { online: listed.map(isSeen), doubtful: [...shown].filter((account) => !there.has(account)) };
  }

  /** These lost the account without a word, and see it for a while as before. False: they never saw it, so that nothing will be told. */
  async keepFor(account: string, lostBy: readonly string[], forMs: number): Promise<boolean> {
    if (!(await this.presence.shown([account])).has(account)) return false;
    await this.presence.keep(account, lostBy, forMs);
    return true;
  }

  /**
   * Contacts hear of it if the account is away. Those who lost it without being told hear the same in any case, unless they gave it up themselves, or
   * are its contacts again.
   */
  async settle(account: string, lostBy: ReadonlySet<string>): Promise<void> {
    const away = !(await this.online.among([account])).has(account) && (await this.presence.offline(account));
    if (!away && lostBy.size === 0) return;
    const contacts = new Set(await this.contacts.mutual(account));
    const holders = await this.contacts.heldBy(account);
    const audience = holders.map(({ owner }) => owner).filter((holder) => (contacts.has(holder) ? away : lostBy.has(holder)));
    await this.tell(audience, account, false);
  }

  private async tell(peers: string[], account: string, online: boolean): Promise<void> {
    const connected = await this.routes.connectedDevicesOf(peers);
    const event = { kind: { case: 'presence' as const, value: { account: fromHex(account), online } } };
    for (const peer of connected.keys()) await this.events.toAccount(peer, event);
  }
}
