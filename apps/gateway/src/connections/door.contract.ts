import 'reflect-metadata';
import { makeGatewayKey, ready, type SealedChannel, signCertificate } from '@sotto/channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { GatewayCertificateHolder } from '../certificates/gateway-certificate.js';
import { type GatewayConfig, gatewayConfig, gatewayConfigSchema } from '../gateway.config.js';
import type { AttachedSession } from '../sessions/attached-session.js';
import type { SessionService } from '../sessions/session.service.js';
import { Admission } from './admission.js';
import { ConnectionTable } from './connection-table.js';
import { Door } from './door.js';
import type { FrameDispatcher } from './frame-dispatcher.js';
import { Receiver } from './receiver.js';
import { TrustedProxies } from './trusted-proxies.js';

const HOST = '127.0.0.1';
/** What a browser sends, and nothing after it. */
const UPGRADE = [
  'GET / HTTP/1.1',
  `Host: ${HOST}`,
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** Somebody before the door: with the server's hello read, unless they were refused. */
export class Visitor {
  readonly closed: Promise<{ code: number; reason: string }>;
  /** The server's, once it has come. */
  hello: Uint8Array | undefined;

  private constructor(readonly socket: WebSocket) {
    socket.once('message', (data: Buffer) => (this.hello = data));
    this.closed = new Promise((resolve) => socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })));
    socket.on('error', () => undefined);
  }

  static async at(url: string, address: string): Promise<Visitor> {
    const visitor = new Visitor(new WebSocket(url, 'sotto.v1', { headers: { 'x-forwarded-for': address } }));
    await Promise.race([once(visitor.socket, 'message'), visitor.closed]);
    return visitor;
  }

  get isIn(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }
}

/** A door with real sockets; behind it is nobody, and nothing that a connection says is acted on. */
export class DoorWorld {
  readonly table = new ConnectionTable();
  /** Frames that came in boxes. */
  readonly heard: Uint8Array[] = [];
  private readonly door: Door;
  private readonly visitors: { terminate?(): void; destroy?(): void }[] = [];
  private port = 0;

  private constructor(config: GatewayConfig, certificate: GatewayCertificateHolder) {
    const dispatch: FrameDispatcher['dispatch'] = (_connection, frames) => void this.heard.push(frames.slice());
    const dispatcher = { dispatch } as Partial<FrameDispatcher> as FrameDispatcher;
    const sessions = { detach: () => Promise.resolve() } as Partial<SessionService> as SessionService;
    const receiver = new Receiver(certificate, this.table, dispatcher);
    this.door = new Door(config, certificate, new Admission(config, this.table), this.table, receiver, sessions);
  }

  static async open(
    { door = {}, ...config }: Partial<Omit<GatewayConfig, 'door'>> & { door?: Partial<GatewayConfig['door']> },
    certificate?: GatewayCertificateHolder,
  ): Promise<DoorWorld> {
    await ready();
    const standard = gatewayConfig(gatewayConfigSchema.parse({}));
    const whole = { ...standard, port: 0, trustedProxies: new TrustedProxies(HOST), ...config, door: { ...standard.door, ...door } };
    const world = new DoorWorld(whole, certificate ?? DoorWorld.certified());
    world.port = await world.door.open();
    return world;
  }

  private static certified(): GatewayCertificateHolder {
    const { publicKey, secretKey } = makeGatewayKey();
    const now = BigInt(Math.floor(Date.now() / 1_000));
    const certificate = signCertificate({ gatewayKey: publicKey, identityKey: publicKey, notBefore: now, notAfter: now + 60n }, secretKey);
    const identity = { certificate, gatewaySigningKey: secretKey };
    return { start: () => Promise.resolve(), identity } as Partial<GatewayCertificateHolder> as GatewayCertificateHolder;
  }

  async close(): Promise<void> {
    for (const visitor of this.visitors) (visitor.terminate ?? visitor.destroy)?.call(visitor);
    this.door.shut();
    await this.door.closeAll();
  }

  /** By a proxy, which says that it forwards for this address. */
  async visit(address: string): Promise<Visitor> {
    const visitor = await Visitor.at(`ws://${HOST}:${this.port}`, address);
    this.visitors.push(visitor.socket);
    return visitor;
  }

  /** A TCP connection that reads, and answers nothing. */
  async touch(): Promise<Socket> {
    const socket = connect({ host: HOST, port: this.port });
    this.visitors.push(socket);
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'connect');
    return socket;
  }

  /** One that has become a WebSocket. */
  async upgrade(...headers: string[]): Promise<Socket> {
    const socket = await this.touch();
    socket.write([...UPGRADE, ...headers, '', ''].join('\r\n'));
    await once(socket, 'data');
    return socket;
  }

  /** All who are there have gone through the handshake, and whatever they say next is a box. */
  greetAll(): void {
    for (const connection of this.table.values()) {
      connection.handshake = undefined;
      this.table.opened(connection, { open: () => new Uint8Array(), close: () => undefined } as Partial<SealedChannel> as SealedChannel);
    }
  }

  /** All who are there have logged in. */
  admitAll(): void {
    this.greetAll();
    for (const connection of this.table.values()) {
      const session = { account: `account ${connection.number}`, device: `device ${connection.number}` };
      this.table.attached(connection, session as Partial<AttachedSession> as AttachedSession);
    }
  }
}
