import { runService } from '@sotto/platform/service';
import { gatewayService } from './as-service.js';

await runService(gatewayService);
