import { runService } from '@sotto/platform/service';
import { directoryConfigSchema } from './config.js';
import { DirectoryModule } from './directory.module.js';

await runService({
  name: 'directory',
  needs: ['bus', 'live-state'],
  config: directoryConfigSchema,
  module: (config) => DirectoryModule.forRoot(config),
});
