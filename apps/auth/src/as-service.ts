import type { ServiceOptions } from '@sotto/platform/service';
import { authConfig, authConfigSchema } from './auth.config.js';
import { AuthModule } from './auth.module.js';

export const authService: ServiceOptions<typeof authConfigSchema> = {
  name: 'auth',
  needs: ['bus', 'live-state', 'database'],
  config: authConfigSchema,
  module: (env) => AuthModule.forRoot(authConfig(env)),
};
