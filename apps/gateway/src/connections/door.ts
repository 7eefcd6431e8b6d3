import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { type SealedChannel, ServerHandshake } from '@sotto/channel';
import { LIMITS, TIMES } from '@sotto/protocol';
import { shortLived } from '@sotto/protocol/frames';
import { WebSocket, WebSocketServer } from 'ws';
import { GatewayCertificateHolder } from '../certificates/gateway-certificate.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../gateway.config.js';
import { SessionService } from '../sessions/session.service.js';
import { clientAddress } from './client-address.js';
import { CloseCode } from './close-codes.js';
import { Connection } from './connection.js';
import { ConnectionTable } from './connection-table.js';
import { FrameDispatcher } from './frame-dispatcher.js';

const SUBPROTOCOL = 'sotto.v1';
const HANDSHAKE_MS = 10_000;
const ANONYMOUS_MS = 10 * 60_000;
const SWEEP_MS = 5_000;

/** The WebSocket server: lets connections in, speaks the handshake, takes boxes apart. One timer for all connections. */
@Injectable()
export class Door {
  private readonly log = new Logger(Door.name);
  private readonly http: Server = createServer((_, response) =>
    response.writeHead(426, { upgrade: 'websocket' }).end('This is a Sotto server.\n'),
  );
  private readonly sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: LIMITS.boxBytes,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  private readonly owners = new WeakMap<WebSocket, Connection>();
  private sweeper: NodeJS.Timeout | undefined;
  private closing = false;

  constructor(
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    private readonly certificate: GatewayCertificateHolder,
    private readonly table: ConnectionTable,
    private readonly dispatcher: FrameDispatcher,
    private readonly sessions: SessionService,
  ) {}

  /** What is to be done in a process that is nothing but a gateway when it can't listen. */
  get onNotOpened(): (() => void) | undefined {
    return this.config.onNotOpened;
  }

  /** Listens once auth has certified this gateway; returns the port. */
  async open(): Promise<number> {
    await this.certificate.start();
    this.http.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
    await new Promise<void>((resolve, reject) => {
      this.http.once('error', reject);
      this.http.listen(this.config.port, this.config.host, resolve);
    });
    this.sweeper = setInterval(() => this.sweep(Date.now()), SWEEP_MS);
    return (this.http.address() as AddressInfo).port;
  }

  /** Takes nobody in any more. */
  shut(): void {
    this.closing = true;
    clearInterval(this.sweeper);
    this.http.close();
  }

  /** Closes every connection with 1001 and waits until each has left live state. */
  async closeAll(): Promise<void> {
    const all = [...this.table.values()];
    for (const connection of all) connection.socket.close(CloseCode.GOING_AWAY, 'the server goes away');
    await Promise.all(all.map((connection) => this.left(connection)));
    setTimeout(() => all.forEach((connection) => connection.socket.terminate()), 500).unref();
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.closing) return void socket.destroy();
    this.sockets.handleUpgrade(request, socket, head, (websocket) => {
      // Before any refusal: a bad frame on a refused socket is an 'error' too, and one that nobody hears ends the process.
      websocket.on('error', onError);
      if (websocket.protocol !== SUBPROTOCOL) return websocket.close(1002, `offer the subprotocol ${SUBPROTOCOL}`);
      if (this.table.size >= this.config.maxConnections) return websocket.close(CloseCode.TRY_AGAIN_LATER, 'the server is full');
      this.welcome(websocket, socket, clientAddress(request, this.config.trustedProxies)).catch(() => websocket.terminate());
    });
  }

  private async welcome(socket: WebSocket, stream: Duplex, address: string): Promise<void> {
    const connection = new Connection(this.table.takeNumber(), socket, stream, address, Date.now());
    this.owners.set(socket, connection);
    this.table.add(connection);
    socket.on('message', this.onMessage);
    socket.on('close', this.onClose);
    const { certificate, signingKey } = this.certificate;
    connection.handshake = await ServerHandshake.start({ certificate: certificate!, gatewaySigningKey: signingKey });
    socket.send(connection.handshake.hello);
  }

  /** Shared by all sockets, bound to none: `sender` is the socket. */
  private readonly onMessage = Door.bySocket((door: Door, socket, data) => {
    const connection = door.owners.get(socket);
    if (connection === undefined || connection.deaf) return;
    connection.lastSeen = Date.now();
    if (connection.channel === undefined) door.finishHandshake(connection, data);
    else door.onBox(connection, data);
  }, this);

  private readonly onClose = Door.bySocket((door: Door, socket) => {
    const connection = door.owners.get(socket);
    if (connection !== undefined && door.table.get(connection.number) === connection) void door.left(connection);
  }, this);

  private static bySocket(handle: (door: Door, socket: WebSocket, data: Uint8Array) => void, door: Door) {
    return function (this: WebSocket, data: unknown): void {
      handle(door, this, data as Uint8Array);
    };
  }

  private finishHandshake(connection: Connection, clientHello: Uint8Array): void {
    const { handshake, socket } = connection;
    if (handshake === undefined) {
      connection.early?.push(clientHello);
      return;
    }
    connection.handshake = undefined;
    // Boxes that come before the keys are there: what was read already waits here, the rest in the socket.
    connection.early = [];
    socket.pause();
    handshake.accept(clientHello).then(
      (channel) => this.startBoxes(connection, channel),
      () => socket.close(CloseCode.MALFORMED, 'no ClientHello'),
    );
  }

  private startBoxes(connection: Connection, channel: SealedChannel): void {
    const early = connection.early ?? [];
    connection.early = undefined;
    connection.channel = channel;
    for (const box of early) this.onBox(connection, box);
    connection.socket.resume();
  }

  private onBox(connection: Connection, box: Uint8Array): void {
    try {
      this.dispatcher.dispatch(connection, connection.channel!.open(box, shortLived));
    } catch {
      connection.deaf = true;
      connection.socket.close(CloseCode.MALFORMED, 'not a box of this channel, or not frames');
    }
  }

  private async left(connection: Connection): Promise<void> {
    if (this.table.get(connection.number) !== connection) return;
    this.table.remove(connection);
    await this.sessions.detach(connection).catch(() => this.log.warn('a device could not be marked as away'));
    connection.channel?.close();
  }

  private sweep(now: number): void {
    for (const connection of this.table.values()) {
      // Pings don't keep a connection open that never logs in.
      const silent = now - (connection.session === undefined ? connection.openedAt : connection.lastSeen);
      const limit =
        connection.channel === undefined ? HANDSHAKE_MS : connection.session === undefined ? ANONYMOUS_MS : 2.5 * TIMES.heartbeatMs;
      if (silent <= limit) continue;
      connection.socket.close(CloseCode.TIMEOUT, 'nothing heard for too long');
      if (silent > 2 * limit) connection.socket.terminate();
    }
  }
}

/** A broken connection says so by 'close' as well. */
function onError(): void {
  return undefined;
}
