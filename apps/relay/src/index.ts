export { RelayModule } from './relay.module.js';
export { DEFAULT_RELAY_CONFIG, relayConfig, type RelayConfig, relayConfigSchema } from './relay.config.js';
export { relayService } from './as-service.js';
