export { GatewayModule } from './gateway.module.js';
export { GatewayService } from './gateway.service.js';
export { gatewayConfig, type GatewayConfig, gatewayConfigSchema } from './gateway.config.js';
