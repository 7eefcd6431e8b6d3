import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { serverBinaries } from './server-binaries.js';
import { answers, runServer, type RunningServer } from './server-process.js';
import { temporaryFolder } from './temporary-folder.js';

export interface RedisOptions {
  port?: number;
  /** Of the user `default`, who may do everything. */
  password?: string;
  /** Further lines of redis.conf. */
  config?: string;
  /** `config` is all of it but where it listens: it says itself what is kept on disk. */
  isWhole?: boolean;
}

const NOTHING_ON_DISK = ['save ""', 'appendonly no'];

/** A real redis-server that keeps nothing on disk, as in production. */
export async function startRedis(options: RedisOptions = {}): Promise<RunningServer> {
  const binaries = await serverBinaries('redis');
  const port = options.port ?? (await freePort());
  const folder = await temporaryFolder('redis');
  const password = options.password;
  const configFile = join(folder, 'redis.conf');
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    ...(options.isWhole === true ? [] : NOTHING_ON_DISK),
    'daemonize no',
    ...(password === undefined ? [] : [`requirepass "${password}"`]),
    options.config ?? '',
  ];
  await writeFile(configFile, `${lines.join('\n')}\n`, { mode: 0o600 });
  return runServer({
    program: join(binaries.folder, 'redis-server'),
    args: [configFile],
    environment: binaries.environment,
    url: `redis://${password === undefined ? '' : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`,
    port,
    folder,
    stopSignal: 'SIGTERM',
    isReady: () => answers(port, 'PING\r\n', /^(\+PONG|-NOAUTH)/),
  });
}
