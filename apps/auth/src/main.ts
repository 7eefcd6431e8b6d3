import { runService } from '@sotto/platform/service';
import { authConfig, authConfigSchema } from './auth.config.js';
import { AuthModule } from './auth.module.js';

await runService({
  name: 'auth',
  needs: ['bus', 'live-state', 'database'],
  config: authConfigSchema,
  module: (env) => AuthModule.forRoot(authConfig(env)),
});
