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
    if (await this.presence.online(account)) await this.tellContacts(account, true);
  }

  async tellOfflineIfAway(account: string): Promise<void> {
    if ((await this.online.among([account])).has(account)) return;
    if (await this.presence.offline(account)) await this.tellContacts(account, false);
  }

  /** To one who loses the contact without being told: all that shows is a contact that went offline. */
  async seemOffline(account: string, towards: string): Promise<void> {
    await this.events.toAccount(towards, { kind: { case: 'presence', value: { account: fromHex(account), online: false } } });
  }

  private async tellContacts(account: string, online: boolean): Promise<void> {
    const peers = await this.contacts.mutual(account);
    const connected = await this.routes.connectedDevicesOf(peers);
    const event = { kind: { case: 'presence' as const, value: { account: fromHex(account), online } } };
    for (const peer of connected.keys()) await this.events.toAccount(peer, event);
  }
}
