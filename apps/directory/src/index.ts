export { DirectoryModule } from './directory.module.js';
export { type DirectoryConfig, directoryConfigSchema } from './config.js';
export { directoryService } from './as-service.js';
