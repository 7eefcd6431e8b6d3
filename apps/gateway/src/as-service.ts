import type { ServiceOptions } from '@sotto/platform/service';
import { gatewayConfig, gatewayConfigSchema } from './gateway.config.js';
import { GatewayModule } from './gateway.module.js';
import { GatewayService } from './gateway.service.js';

export const gatewayService: ServiceOptions<typeof gatewayConfigSchema> = {
  name: 'gateway',
  needs: ['bus', 'live-state'],
  config: gatewayConfigSchema,
  module: (env) => GatewayModule.forRoot({ ...gatewayConfig(env), onNotOpened: () => process.exit(1) }),
  // The door opens once auth has certified this gateway.
  checks: (app) => [{ name: 'door', check: () => app.get(GatewayService, { strict: false }).isOpen }],
};
