import 'reflect-metadata';
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { create, type DescMethodUnary, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { contractOf, ErrorCode, type Session, signedBytes, toHex } from '@sotto/protocol';
import {
  ContactLookup,
  GatewayEventSchema,
  KeyPackageLedger,
  type RpcReply,
  RpcReplySchema,
  SessionsRevokedSchema,
} from '@sotto/protocol/internal';
import { Accounts } from '@sotto/protocol';
import { type Bus, connectNatsBus, InProcessBus, type Subscription } from '@sotto/platform/bus';
import { type Database, migratePostgres, openDatabase } from '@sotto/platform/database';
import { gatewayEventSubject } from '@sotto/platform/leases';
import { closeLiveState, connectLiveState, LEASE_STORE, type LeaseStore, type LiveState } from '@sotto/platform/live-state';
import { BusRpcServer, RpcClient, type RpcCaller, subjectOf } from '@sotto/platform/rpc';
import { PlatformModule } from '@sotto/platform/service';
import { startNats, startPostgres, startRedis, temporaryFolder } from '@sotto/testing';
import { type AuthConfig, AuthModule, createInviteCode, DEFAULT_AUTH_CONFIG, type ServerIdentity, serverIdentityOf } from './index.js';

export interface Parts {
  bus: Bus;
  liveState: LiveState;
  database: Database;
}

export interface Topology {
  parts: Parts;
  stop(): Promise<void>;
}

export async function embedded(): Promise<Topology> {
  const database = await openDatabase({ kind: 'pglite', folder: await temporaryFolder('auth') });
  return { parts: { bus: new InProcessBus(), liveState: { kind: 'memory' }, database }, stop: () => database.close() };
}

export async function services(): Promise<Topology> {
  const [nats, redis, postgres] = await Promise.all([startNats(), startRedis(), startPostgres()]);
  await migratePostgres(postgres.url);
  const [bus, liveState, database] = await Promise.all([
    connectNatsBus({ servers: nats.url, name: 'auth-test' }),
    connectLiveState({ url: redis.url }),
    openDatabase({ kind: 'postgres', url: postgres.url }),
  ]);
  const stop = async () => {
    await Promise.all([bus.close(), closeLiveState(liveState), database.close()]);
    await Promise.all([nats.stop(), redis.stop(), postgres.stop()]);
  };
  return { parts: { bus, liveState, database }, stop };
}

export interface Key {
  publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

export function newKey(): Key {
  const pair = generateKeyPairSync('ed25519');
  const raw = (key: KeyObject) => new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(12));
  return { publicKey: raw(pair.publicKey), sign: (message) => new Uint8Array(sign(null, message, pair.privateKey)) };
}

/** What a hash costs is nothing to most tests; no server takes so little (auth.config.ts). */
const QUICK = { memoryKib: 1_024, passes: 1, lanes: 1 };

/** A gateway that lives as long as the test. */
const GATEWAY = 7;

/** A running auth, called as a gateway calls it; the services around it answer, and what they hear is kept. */
export class AuthWorld {
  readonly heard: string[] = [];
  /** Contacts answers after this. */
  contactsWait: Promise<unknown> = Promise.resolve();
  readonly revoked: { account: string; device: string; except: string }[] = [];
  /** Accounts whose devices, pending ones too, were told that something about devices has changed. */
  readonly told: string[] = [];
  private readonly rpc: RpcClient;
  private readonly neighbours: Subscription[] = [];
  private stopApp: () => Promise<void> = () => Promise.resolve();

  constructor(
    readonly parts: Parts,
    readonly identity: ServerIdentity = serverIdentityOf(randomBytes(32)),
  ) {
    this.rpc = new RpcClient(parts.bus, { service: 'gateway' });
  }

  async start(config: Partial<AuthConfig> = {}): Promise<this> {
    const { bus } = this.parts;
    for (const method of [ContactLookup.method.accountChanged, KeyPackageLedger.method.forget]) {
      const answer = async () => {
        this.heard.push(method.name);
        if (method === ContactLookup.method.accountChanged) await this.contactsWait;
        return toBinary(RpcReplySchema, create(RpcReplySchema, {}));
      };
      this.neighbours.push(bus.respond(subjectOf(contractOf(method)), 'neighbour', answer));
    }
    bus.subscribe('sessions.revoked', (payload) => {
      const { account, device, exceptDevice } = fromBinary(SessionsRevokedSchema, payload);
      this.revoked.push({ account: toHex(account), device: toHex(device), except: toHex(exceptDevice) });
    });
    bus.subscribe(gatewayEventSubject(GATEWAY), (payload) => {
      const { account, device, event } = fromBinary(GatewayEventSchema, payload);
      if (event?.kind.case === 'devicesChanged' && device.length === 0) this.told.push(toHex(account));
    });
    const auth = AuthModule.forRoot({
      ...DEFAULT_AUTH_CONFIG,
      argon2: QUICK,
      serverName: 'sotto.test',
      identity: this.identity,
      ...config,
    });
    @Module({ imports: [PlatformModule.forRoot({ ...this.parts, serviceName: 'auth' }), auth] })
    class TestModule {}
    const app = await NestFactory.createMicroservice(TestModule, { strategy: new BusRpcServer(bus), logger: false });
    await app.listen();
    await app.get<LeaseStore>(LEASE_STORE, { strict: false }).claim('gateway', GATEWAY, 600_000);
    this.stopApp = () => app.close();
    return this;
  }

  stop(): Promise<void> {
    for (const neighbour of this.neighbours) neighbour.unsubscribe();
    return this.stopApp();
  }

  invite(name = ''): string {
    return createInviteCode(this.identity, DEFAULT_AUTH_CONFIG, name).code;
  }

  /** As a gateway: bytes in, bytes out. */
  forward<M extends DescMethodUnary>(method: M, request: MessageInitShape<M['input']>, caller: RpcCaller): Promise<RpcReply> {
    return this.rpc.forward(contractOf(method), toBinary<M['input']>(method.input, create<M['input']>(method.input, request)), caller);
  }

  async call<M extends DescMethodUnary>(
    method: M,
    request: MessageInitShape<M['input']>,
    caller: RpcCaller,
  ): Promise<MessageShape<M['output']>> {
    const reply = await this.forward(method, request, caller);
    if (reply.error) throw new Error(ErrorCode[reply.error.code]);
    return fromBinary<M['output']>(method.output, reply.body);
  }

  asService<M extends DescMethodUnary>(method: M, request: MessageInitShape<M['input']>): Promise<MessageShape<M['output']>> {
    return this.rpc.call(method, request);
  }
}

/** A device with its keys, on one channel at a time. */
export class Person {
  readonly identity = newKey();
  readonly device = newKey();
  binding: Uint8Array = new Uint8Array(randomBytes(32));
  session: Session | undefined;

  constructor(
    readonly world: AuthWorld,
    readonly name: string,
    public password = `${name} has a long passphrase`,
    readonly address = '192.0.2.1',
  ) {}

  get caller(): RpcCaller {
    const { account, device, pending } = this.session ?? { account: new Uint8Array(0), device: new Uint8Array(0), pending: false };
    return { account: toHex(account), device: toHex(device), pending, channelBinding: this.binding, address: this.address, service: '' };
  }

  get anonymous(): RpcCaller {
    return { ...this.caller, account: '', device: '', pending: false };
  }

  reconnect(): this {
    this.binding = new Uint8Array(randomBytes(32));
    return this;
  }

  identityProof(identity = this.identity) {
    return {
      identityKey: identity.publicKey,
      deviceAuthKey: this.device.publicKey,
      identitySignature: identity.sign(signedBytes('register', this.device.publicKey, this.binding)),
    };
  }

  async register(invite = this.world.invite(this.name)): Promise<this> {
    const request = { name: this.name, password: this.password, invite, ...this.identityProof() };
    this.session = await this.world.call(Accounts.method.register, request, this.anonymous);
    return this;
  }

  async logIn(): Promise<this> {
    this.session = await this.world.call(
      Accounts.method.logIn,
      { name: this.name, password: this.password, deviceAuthKey: this.device.publicKey },
      this.anonymous,
    );
    return this;
  }

  resume(credential = this.session?.credential): Promise<Session> {
    const proof = this.device.sign(signedBytes('resume', this.binding));
    return this.world.call(Accounts.method.resume, { ...(credential ? { credential } : {}), proof }, this.anonymous);
  }
}
