import { Inject, Injectable } from '@nestjs/common';
import { AccountEvents, DEVICE_ROUTE_STORE } from '@sotto/platform/live-state';
import type { DeviceRouteStore } from '@sotto/platform/live-state';
import { fromHex } from '@sotto/protocol';
import { CONTACT_STORE } from '../contacts/contact.store.js';
import type { ContactStore } from '../contacts/contact.store.js';
import { OnlineAccounts } from './online-accounts.js';
import { PRESENCE_STORE } from './presence.store.js';
import type { PresenceStore } from './presence.store.js';

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

  async tellOnline(account: string): Promise<void> {
    if (await this.presence.online(account)) await this.tell(await this.contacts.mutual(account), account, true);
  }

  /** Whether contacts were told that the account is online, so that they will be told that it has gone. */
  shown(account: string): Promise<boolean> {
    return this.presence.shown(account);
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
