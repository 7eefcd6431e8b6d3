import { runService } from '@sotto/platform/service';
import { relayService } from './as-service.js';

await runService(relayService);
