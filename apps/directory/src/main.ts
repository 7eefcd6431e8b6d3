import { runService } from '@sotto/platform/service';
import { directoryService } from './as-service.js';

await runService(directoryService);
