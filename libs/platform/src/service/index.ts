export { PlatformModule, type PlatformParts } from './platform.module.js';
export { type Need, type PlatformConfig, platformConfigSchema } from './platform-config.js';
export { runService, type RunningService, type ServiceOptions, startService } from './run-service.js';
