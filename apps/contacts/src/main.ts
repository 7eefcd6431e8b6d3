import { runService } from '@sotto/platform/service';
import { contactsConfigSchema } from './config.js';
import { ContactsModule } from './contacts.module.js';

await runService({
  name: 'contacts',
  needs: ['bus', 'live-state', 'database'],
  config: contactsConfigSchema,
  module: (config) => ContactsModule.forRoot(config),
});
