export { temporaryFolder } from './temporary-folder.js';
export { freePort } from './free-port.js';
export { WeakLink } from './weak-link.js';
export { serverBinaries, SERVER_NAMES, type ServerBinaries, type ServerName } from './server-binaries.js';
export { type RunningServer, runServer, type ServerCommand } from './server-process.js';
export { startNats, type NatsOptions } from './nats-server.js';
export { startRedis, type RedisOptions } from './redis-server.js';
export { startPostgres, type Contents, type PostgresOptions } from './postgres-server.js';
export { recordPostgres, recordRedis, type StepRecorder } from './step-recorder.js';
