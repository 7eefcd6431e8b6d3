import { runService } from '@sotto/platform/service';
import { contactsService } from './as-service.js';

await runService(contactsService);
