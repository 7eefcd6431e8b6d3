import { runService } from '@sotto/platform/service';
import { gatewayConfig, gatewayConfigSchema } from './gateway.config.js';
import { GatewayModule } from './gateway.module.js';

await runService({
  name: 'gateway',
  needs: ['bus', 'live-state'],
  config: gatewayConfigSchema,
  module: (env) => GatewayModule.forRoot({ ...gatewayConfig(env), onNotOpened: () => process.exit(1) }),
});
