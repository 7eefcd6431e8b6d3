import type { ServiceOptions } from '@sotto/platform/service';
import { RelayModule } from './relay.module.js';
import { relayConfig, relayConfigSchema } from './relay.config.js';

export const relayService: ServiceOptions<typeof relayConfigSchema> = {
  name: 'relay',
  needs: ['bus', 'live-state'],
  config: relayConfigSchema,
  module: (env) => RelayModule.forRoot({ ...relayConfig(env), leaveMs: 3_000 }),
};
