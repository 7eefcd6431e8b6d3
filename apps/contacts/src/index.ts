export { ContactsModule } from './contacts.module.js';
export { type ContactsConfig, contactsConfigSchema } from './config.js';
export { contactsService } from './as-service.js';
