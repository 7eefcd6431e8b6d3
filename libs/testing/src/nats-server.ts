import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { serverBinaries } from './server-binaries.js';
import { answers, runServer, type RunningServer } from './server-process.js';
import { temporaryFolder } from './temporary-folder.js';

export interface NatsOptions {
  /** Text of a nats-server configuration file (users, limits); address and port are set apart from it. */
  config?: string;
  port?: number;
}

/** A real nats-server, without JetStream. */
export async function startNats(options: NatsOptions = {}): Promise<RunningServer> {
  const binaries = await serverBinaries('nats');
  const port = options.port ?? (await freePort());
  const folder = await temporaryFolder('nats');
  const configFile = join(folder, 'nats.conf');
  await writeFile(configFile, options.config ?? '');
  return runServer({
    program: join(binaries.folder, 'nats-server'),
    args: ['-c', configFile, '-a', '127.0.0.1', '-p', String(port)],
    environment: binaries.environment,
    url: `nats://127.0.0.1:${port}`,
    port,
    folder,
    stopSignal: 'SIGTERM',
    isReady: () => answers(port, '', /^INFO /),
  });
}
