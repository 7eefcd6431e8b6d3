import { join } from 'node:path';
import { type DynamicModule, type LoggerService, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  AuthModule,
  DEFAULT_AUTH_CONFIG,
  faultOf,
  loadOrCreateServerIdentity,
  type RegistrationPolicy,
  SeedFileError,
  type ServerIdentity,
} from '@sotto/auth';
import { ContactsModule, contactsConfigSchema } from '@sotto/contacts';
import { DirectoryModule, directoryConfigSchema } from '@sotto/directory';
import { type DoorVariables, gatewayConfig, gatewayConfigSchema, GatewayModule, GatewayService } from '@sotto/gateway';
import { InProcessBus } from '@sotto/platform/bus';
import { type Database, openDatabase } from '@sotto/platform/database';
import { JsonLogger } from '@sotto/platform/logging';
import { BusRpcServer, RpcClient } from '@sotto/platform/rpc';
import { PlatformModule } from '@sotto/platform/service';
import { toHex } from '@sotto/protocol';
import { Admin } from '@sotto/protocol/internal';
import { relayConfig, relayConfigSchema, RelayModule } from '@sotto/relay';

export interface StandaloneOptions {
  /** Where accounts, contacts and the server's identity live; made when it is not there. */
  folder: string;
  /** Loopback by default. */
  host?: string;
  /** 0 for any free one. */
  port?: number;
  /** Most open connections. */
  maxConnections?: number;
  registration?: RegistrationPolicy;
  /** Part of what MLS credentials name; must not change once devices exist. */
  serverName?: string;
  retryWindowSeconds?: number;
  /** Addresses of proxies whose X-Forwarded-For is believed, separated by commas. */
  trustedProxies?: string;
  /** Messages a second of one connection. */
  sendRate?: number;
  /** Recipients a second of one account, of messages to more than one. */
  recipientRate?: number;
  /** What those may take who have not logged in; by the names of the gateway's variables. */
  doorLimits?: DoorVariables;
  logger?: LoggerService;
}

export interface Standalone {
  port: number;
  /** SHA-256 of the server's identity key, hex: what clients pin. */
  pin: string;
  /** @param name the exact name that the invite carries. Returns the code and its expiry in Unix seconds. */
  createInvite(name?: string): Promise<{ code: string; expires: number }>;
  /** Drains and stops; the folder is free afterwards. */
  stop(): Promise<void>;
}

@Module({})
class StandaloneRoot {}

/** The five modules in this process, on the in-process bus, live state in memory and PGlite in a folder. */
export async function startStandalone(options: StandaloneOptions): Promise<Standalone> {
  // Between the end of one task and the next, a process that waits for no input would wait until V8 has optimised all that ran a little: 0.2 s.
  const awake = setInterval(() => undefined, 60_000);
  try {
    return await start(options);
  } finally {
    clearInterval(awake);
  }
}

async function start(options: StandaloneOptions): Promise<Standalone> {
  const database = await openDatabase({ kind: 'pglite', folder: join(options.folder, 'database') });
  try {
    return await compose(options, database, await identityIn(options.folder));
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Its pin is what everybody who joined knows the server by, so that nothing is made in place of one that can't be read. */
async function identityIn(folder: string): Promise<ServerIdentity> {
  try {
    return await loadOrCreateServerIdentity(folder);
  } catch (error) {
    if (!(error instanceof SeedFileError)) throw error;
    const what = `the server's identity can't be read: ${error.file} ${faultOf(error)}`;
    throw new Error(`${what}. Put your copy of it back; without one, move it away, and all who joined must pin another identity`, {
      cause: error,
    });
  }
}

async function compose(options: StandaloneOptions, database: Database, identity: ServerIdentity): Promise<Standalone> {
  const bus = new InProcessBus();
  const logger = options.logger ?? new JsonLogger({ name: 'standalone', level: 'info' });
  const root: DynamicModule = {
    module: StandaloneRoot,
    imports: [
      PlatformModule.forRoot({ bus, liveState: { kind: 'memory' }, database, serviceName: 'standalone' }),
      ...modules(options, identity),
    ],
  };
  const app = await NestFactory.createMicroservice(root, { strategy: new BusRpcServer(bus), logger, abortOnError: false });
  await app.listen();
  const port = await app.get(GatewayService).opened;
  const rpc = app.get(RpcClient);
  return {
    port,
    pin: toHex(identity.pin),
    async createInvite(name = '') {
      const { code, expires } = await rpc.call(Admin.method.createInvite, { name });
      return { code, expires: Number(expires) };
    },
    async stop() {
      await app.close();
      await bus.close();
      await database.close();
    },
  };
}

function modules(options: StandaloneOptions, identity: ServerIdentity): DynamicModule[] {
  const window = options.retryWindowSeconds === undefined ? {} : { RELAY_RETRY_WINDOW: options.retryWindowSeconds };
  const gateway = gatewayConfigSchema.parse({
    ...window,
    ...options.doorLimits,
    GATEWAY_HOST: options.host,
    GATEWAY_PORT: options.port,
    MAX_CONNECTIONS: options.maxConnections,
    TRUSTED_PROXIES: options.trustedProxies,
    SEND_RATE: options.sendRate,
  });
  const { registration = 'invite', serverName = 'localhost' } = options;
  return [
    AuthModule.forRoot({ ...DEFAULT_AUTH_CONFIG, registration, serverName, identity }),
    ContactsModule.forRoot(contactsConfigSchema.parse(window)),
    DirectoryModule.forRoot(directoryConfigSchema.parse({})),
    RelayModule.forRoot(relayConfig(relayConfigSchema.parse({ ...window, RELAY_RECIPIENT_RATE: options.recipientRate }))),
    GatewayModule.forRoot(gatewayConfig(gateway)),
  ];
}
