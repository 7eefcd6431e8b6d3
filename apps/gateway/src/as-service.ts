import type { ServiceOptions } from '@sotto/platform/service';
import { GatewayCertificateHolder } from './certificates/gateway-certificate.js';
import { gatewayConfig, gatewayConfigSchema } from './gateway.config.js';
import { GatewayModule } from './gateway.module.js';
import { GatewayService } from './gateway.service.js';

export const gatewayService: ServiceOptions<typeof gatewayConfigSchema> = {
  name: 'gateway',
  needs: ['bus', 'live-state'],
  config: gatewayConfigSchema,
  module: (env) => GatewayModule.forRoot({ ...gatewayConfig(env), onNotOpened: () => process.exit(1) }),
  // The door opens once auth has certified this gateway, and turns everybody away when that certificate has expired.
  checks: (app) => [
    { name: 'door', check: () => app.get(GatewayService, { strict: false }).isOpen },
    { name: 'certificate', check: () => app.get(GatewayCertificateHolder, { strict: false }).identity !== undefined },
  ],
};
