export { GatewayModule } from './gateway.module.js';
export { GatewayService } from './gateway.service.js';
export { doorLimitsSchema, type DoorVariables, gatewayConfig, type GatewayConfig, gatewayConfigSchema } from './gateway.config.js';
export { gatewayService } from './as-service.js';
