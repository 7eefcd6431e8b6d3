import 'reflect-metadata';
import { create, fromBinary, type Message, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { SealedChannel } from '@sotto/channel';
import { InProcessBus } from '@sotto/platform/bus';
import { CallLimiter, type DeviceRouteStore, MemoryDeviceRouteStore } from '@sotto/platform/live-state';
import { RpcClient, subjectOf } from '@sotto/platform/rpc';
import {
  AttachRequestSchema,
  CallSchema,
  contractOf,
  type Event,
  EventSchema,
  fromHex,
  METHODS,
  type Reply,
  ReplySchema,
} from '@sotto/protocol';
import { forEachFrame, FrameKind } from '@sotto/protocol/frames';
import { type RpcRequest, RpcReplySchema, RpcRequestSchema, SessionsRevokedSchema } from '@sotto/protocol/internal';
import { steadyNow } from '@sotto/platform/clock';
import { generateKeyPair, SignJWT } from 'jose';
import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import type { WebSocket } from 'ws';
import { CallRouter } from './calls/call-router.js';
import type { GatewayCertificateHolder } from './certificates/gateway-certificate.js';
import { Connection } from './connections/connection.js';
import { ConnectionTable } from './connections/connection-table.js';
import { gatewayConfig, gatewayConfigSchema } from './gateway.config.js';
import { AccessTokenStrategy } from './sessions/access-token.strategy.js';
import { DeviceNews } from './sessions/device-news.js';
import { RecentRevocations } from './sessions/recent-revocations.js';
import { SessionService } from './sessions/session.service.js';
import { OutdatedContacts } from './sessions/outdated-contacts.js';
import { SessionWatch } from './sessions/session-watch.js';

export const GATEWAY = 42;
const SERVER = 'sotto.test';

type Attach = Exclude<MessageInitShape<typeof AttachRequestSchema>, Message>;

export interface Identity {
  account: string;
  device: string;
  pending?: boolean;
}

/** As much of a WebSocket as a session sees. */
class ClosableSocket {
  readyState = 1;
  readonly closings: number[] = [];

  close(code: number): void {
    this.closings.push(code);
    this.readyState = 2;
  }
}

/** A client that is connected, without a connection: what it is sent is kept. */
export class Client {
  readonly replies = new Map<number, (reply: Reply) => void>();
  readonly events: Event['kind'][] = [];
  readonly socket = new ClosableSocket();
  readonly connection: Connection;

  constructor(number: number, address: string) {
    const stream = new PassThrough();
    this.connection = new Connection(number, this.socket as unknown as WebSocket, stream, address, steadyNow());
    this.connection.channel = { binding: new Uint8Array(randomBytes(32)) } as SealedChannel;
  }

  take(frame: Uint8Array): void {
    forEachFrame(frame, (kind, start, end) => {
      const bytes = frame.subarray(start, end);
      if (kind === FrameKind.EVENT) this.events.push(fromBinary(EventSchema, bytes).kind);
      if (kind !== FrameKind.REPLY) return;
      const reply = fromBinary(ReplySchema, bytes);
      this.replies.get(reply.id)?.(reply);
    });
  }
}

/** Hands frames over at once, in clear. */
class OpenTable extends ConnectionTable {
  readonly clients = new Map<Connection, Client>();
  override readonly flush = (): void => undefined;

  override write(connection: Connection, frame: Uint8Array): void {
    this.clients.get(connection)?.take(frame);
  }
}

/** Sessions and calls of a gateway on memory parts; the services behind it are what `serve` says. */
export class GatewayWorld {
  readonly bus = new InProcessBus();
  readonly table = new OpenTable();
  /** Methods in the order in which their requests arrived at a service. */
  readonly asked: { method: string; request: RpcRequest }[] = [];
  readonly router: CallRouter;
  readonly sessions: SessionService;
  private readonly watch: SessionWatch;
  private readonly outdated: OutdatedContacts;
  private calls = 0;

  private constructor(
    private readonly keys: Awaited<ReturnType<typeof generateKeyPair>>,
    readonly routes: DeviceRouteStore,
    limiter: Pick<CallLimiter, 'charge'>,
  ) {
    const certificate = { tokenKey: keys.publicKey, server: SERVER } as GatewayCertificateHolder;
    const config = gatewayConfig(gatewayConfigSchema.parse({}));
    const rpc = new RpcClient(this.bus, { service: 'gateway' });
    const revocations = new RecentRevocations();
    const tokens = new AccessTokenStrategy(certificate);
    this.sessions = new SessionService(routes, config, this.table, new DeviceNews(this.bus), tokens, revocations);
    this.sessions.start(GATEWAY);
    this.watch = new SessionWatch(this.bus, this.table, rpc, this.sessions, revocations);
    this.watch.start(GATEWAY);
    this.outdated = new OutdatedContacts(this.bus, this.table);
    this.outdated.onApplicationBootstrap();
    this.router = new CallRouter(rpc, limiter as CallLimiter, this.table, this.sessions);
    this.serveAll();
  }

  static async start(parts: { routes?: DeviceRouteStore; limiter?: Pick<CallLimiter, 'charge'> } = {}): Promise<GatewayWorld> {
    const keys = await generateKeyPair('EdDSA');
    return new GatewayWorld(keys, parts.routes ?? new MemoryDeviceRouteStore(), parts.limiter ?? new CallLimiter({ kind: 'memory' }));
  }

  async stop(): Promise<void> {
    this.watch.stop();
    this.outdated.onApplicationShutdown();
    this.sessions.stop();
    await this.bus.close();
  }

  connect(address = '192.0.2.1'): Client {
    const client = new Client(this.table.takeNumber(), address);
    this.table.add(client.connection);
    this.table.clients.set(client.connection, client);
    return client;
  }

  /** A token for this client's connection, as auth issues it. */
  token({ connection }: Client, { account, device, pending = false }: Identity, issued = Math.floor(Date.now() / 1_000)): Promise<string> {
    const cnf = Buffer.from(connection.channel!.binding).toString('base64url');
    return new SignJWT({ dev: device, pen: pending, cnf })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer(SERVER)
      .setSubject(account)
      .setIssuedAt(issued)
      .setExpirationTime(issued + 300)
      .sign(this.keys.privateKey);
  }

  async attach(client: Client, identity: Identity, more: Attach = {}, token = this.token(client, identity)): Promise<Reply> {
    const init = { deliveryKey: new Uint8Array(32), ...more, accessToken: await token };
    return this.call(client, 'sotto.v1.Sessions/Attach', toBinary(AttachRequestSchema, create(AttachRequestSchema, init)));
  }

  /** The reply, as it came. */
  call(client: Client, method: string, body: Uint8Array = new Uint8Array()): Promise<Reply> {
    const id = ++this.calls;
    return new Promise((resolve) => {
      client.replies.set(id, resolve);
      this.router.handle(client.connection, toBinary(CallSchema, create(CallSchema, { id, method, body })));
    });
  }

  revoke(account: string, which: { device?: string; exceptDevice?: string; validAfter?: number }): void {
    const { device = '', exceptDevice = '', validAfter = Math.floor(Date.now() / 1_000) + 1 } = which;
    const revoked = {
      account: fromHex(account),
      device: fromHex(device),
      exceptDevice: fromHex(exceptDevice),
      validAfter: BigInt(validAfter),
    };
    this.bus.publish('sessions.revoked', toBinary(SessionsRevokedSchema, create(SessionsRevokedSchema, revoked)));
  }

  /** Every method is served, and answers with the body that it was asked with. */
  private serveAll(): void {
    for (const { method } of METHODS.values()) {
      const contract = contractOf(method);
      this.bus.respond(subjectOf(contract), 'service', (payload) => {
        const request = fromBinary(RpcRequestSchema, payload);
        this.asked.push({ method: contract.name, request });
        return Promise.resolve(toBinary(RpcReplySchema, create(RpcReplySchema, { body: request.body })));
      });
    }
  }
}
