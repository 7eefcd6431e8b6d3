import { type DynamicModule, Module } from '@nestjs/common';
import { DATABASE } from '@sotto/platform/database';
import type { Database } from '@sotto/platform/database';
import { LIVE_STATE } from '@sotto/platform/live-state';
import type { LiveState } from '@sotto/platform/live-state';
import { AccountBook } from './accounts/account-book.js';
import { CONTACTS_CONFIG, type ContactsConfig } from './config.js';
import { ContactLookupController } from './contacts/contact-lookup.controller.js';
import { CONTACT_STORE } from './contacts/contact.store.js';
import { ContactsController } from './contacts/contacts.controller.js';
import { ContactsService } from './contacts/contacts.service.js';
import { PrismaContactStore } from './contacts/prisma-contact.store.js';
import { RowPurge } from './contacts/row-purge.js';
import { MissedEvents } from './events/missed-events.js';
import { MemoryPresenceStore } from './presence/memory-presence.store.js';
import { OnlineAccounts } from './presence/online-accounts.js';
import { PresenceAudience } from './presence/presence-audience.js';
import { PresenceService } from './presence/presence.service.js';
import { PRESENCE_STORE } from './presence/presence.store.js';
import { RedisPresenceStore } from './presence/redis-presence.store.js';
import { RequestsController } from './requests/requests.controller.js';
import { RequestsService } from './requests/requests.service.js';

/** Contacts on the platform's bus, live state and database. */
@Module({})
export class ContactsModule {
  static forRoot(config: ContactsConfig): DynamicModule {
    return {
      module: ContactsModule,
      controllers: [RequestsController, ContactsController, ContactLookupController],
      providers: [
        { provide: CONTACTS_CONFIG, useValue: config },
        { provide: CONTACT_STORE, useFactory: (database: Database) => new PrismaContactStore(database), inject: [DATABASE] },
        { provide: PRESENCE_STORE, useFactory: presenceStoreOf, inject: [LIVE_STATE] },
        AccountBook,
        MissedEvents,
        ContactsService,
        RequestsService,
        OnlineAccounts,
        PresenceAudience,
        PresenceService,
        RowPurge,
      ],
    };
  }
}

function presenceStoreOf(live: LiveState): RedisPresenceStore | MemoryPresenceStore {
  return live.kind === 'redis' ? new RedisPresenceStore(live.redis) : new MemoryPresenceStore();
}
