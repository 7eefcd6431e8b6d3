import type { ServiceOptions } from '@sotto/platform/service';
import { contactsConfigSchema } from './config.js';
import { ContactsModule } from './contacts.module.js';

export const contactsService: ServiceOptions<typeof contactsConfigSchema> = {
  name: 'contacts',
  needs: ['bus', 'live-state', 'database'],
  config: contactsConfigSchema,
  module: (config) => ContactsModule.forRoot(config),
};
