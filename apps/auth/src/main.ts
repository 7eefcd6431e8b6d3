import { runService } from '@sotto/platform/service';
import { authService } from './as-service.js';

await runService(authService);
