import type { ServiceOptions } from '@sotto/platform/service';
import { directoryConfigSchema } from './config.js';
import { DirectoryModule } from './directory.module.js';

export const directoryService: ServiceOptions<typeof directoryConfigSchema> = {
  name: 'directory',
  needs: ['bus', 'live-state'],
  config: directoryConfigSchema,
  module: (config) => DirectoryModule.forRoot(config),
};
