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
import { Admission } from './admission.js';
import { clientAddress } from './client-address.js';
import { CloseCode } from './close-codes.js';
import { Connection } from './connection.js';
import { ConnectionTable } from './connection-table.js';
import { FrameDispatcher } from './frame-dispatcher.js';
import { Queue } from './queue.js';

const SUBPROTOCOL = 'sotto.v1';
const SWEEP_MS = 5_000;
/** Handshakes that are worked on at once: of a hundred that begin together, each step of all would otherwise come before any message. */
const HANDSHAKES_WORKED_ON = 4;

/** Knows its connection, so that all sockets share their listeners and no table of sockets is needed. */
class DoorSocket extends WebSocket {
  connection: Connection | undefined;
}

/** The WebSocket server: lets connections in, speaks the handshake, takes boxes apart. One timer for all connections. */
@Injectable()
export class Door {
  private readonly log = new Logger(Door.name);
  private readonly http: Server;
  private readonly sockets = new WebSocketServer<typeof DoorSocket>({
    noServer: true,
    WebSocket: DoorSocket,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: LIMITS.boxBytes,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  private readonly handshakes = new Queue(HANDSHAKES_WORKED_ON);
  private sweeper: NodeJS.Timeout | undefined;
  private closing = false;

  constructor(
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    private readonly certificate: GatewayCertificateHolder,
    private readonly admission: Admission,
    private readonly table: ConnectionTable,
    private readonly dispatcher: FrameDispatcher,
    private readonly sessions: SessionService,
  ) {
    const { handshakeMs } = config.door;
    // Also of a connection that never says a word.
    const impatience = { headersTimeout: handshakeMs, requestTimeout: handshakeMs, connectionsCheckingInterval: SWEEP_MS };
    this.http = createServer(impatience, (_, response) =>
      response.writeHead(426, { upgrade: 'websocket' }).end('This is a Sotto server.\n'),
    );
    this.http.maxConnections = admission.tcpConnections;
  }

  /** What is to be done in a process that is nothing but a gateway when it can't listen. */
  get onNotOpened(): (() => void) | undefined {
    return this.config.onNotOpened;
  }

  /** Listens once auth has certified this gateway; returns the port. */
  async open(): Promise<number> {
    await this.certificate.start();
    this.http.on('connection', (socket) => this.admission.arrive(socket));
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

  private upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    if (this.closing) return void stream.destroy();
    this.admission.became(request.socket);
    this.sockets.handleUpgrade(request, stream, head, (socket) => {
      // Before any refusal: a bad frame on a refused socket is an 'error' too, and one that nobody hears ends the process.
      socket.on('error', onError);
      if (socket.protocol !== SUBPROTOCOL) return refuse(socket, CloseCode.NO_SUBPROTOCOL, `offer the subprotocol ${SUBPROTOCOL}`);
      const address = clientAddress(request, this.config.trustedProxies);
      const refusal = this.admission.refusal(address, Date.now());
      if (refusal !== undefined) return refuse(socket, CloseCode.TRY_AGAIN_LATER, refusal);
      this.welcome(new Connection(this.table.takeNumber(), socket, stream, address, Date.now()), socket);
    });
  }

  private welcome(connection: Connection, socket: DoorSocket): void {
    socket.connection = connection;
    this.table.add(connection);
    socket.on('message', this.onMessage);
    socket.on('close', this.onClose);
    this.handshakes.run(() => this.greet(connection)).catch(() => socket.terminate());
  }

  private async greet(connection: Connection): Promise<void> {
    if (!this.table.has(connection)) return;
    const { certificate, signingKey } = this.certificate;
    connection.handshake = await ServerHandshake.start({ certificate: certificate!, gatewaySigningKey: signingKey });
    connection.socket.send(connection.handshake.hello);
  }

  private readonly onMessage = ofConnection((connection, data) => {
    if (connection.deaf) return;
    connection.lastSeen = Date.now();
    if (connection.channel === undefined) this.finishHandshake(connection, data);
    else this.onBox(connection, data);
  });

  private readonly onClose = ofConnection((connection) => void this.left(connection));

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
    this.handshakes
      .run(() => handshake.accept(clientHello))
      .then(
        (channel) => this.startBoxes(connection, channel),
        () => socket.close(CloseCode.MALFORMED, 'no ClientHello'),
      );
  }

  private startBoxes(connection: Connection, channel: SealedChannel): void {
    const early = connection.early ?? [];
    connection.early = undefined;
    if (!this.table.has(connection)) return channel.close();
    this.table.opened(connection, channel);
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
    if (!this.table.has(connection)) return;
    this.table.remove(connection);
    await this.sessions.detach(connection).catch(() => this.log.warn('a device could not be marked as away'));
    connection.channel?.close();
  }

  private sweep(now: number): void {
    for (const connection of this.table.values()) {
      // Pings don't keep a connection open that never logs in.
      const silent = now - (connection.session === undefined ? connection.openedAt : connection.lastSeen);
      const limit = this.patienceWith(connection);
      if (silent <= limit) continue;
      connection.socket.close(CloseCode.TIMEOUT, 'nothing heard for too long');
      if (silent > 2 * limit) connection.socket.terminate();
    }
  }

  private patienceWith({ channel, session }: Connection): number {
    const { handshakeMs, logInMs } = this.config.door;
    if (channel === undefined) return handshakeMs;
    return session === undefined ? handshakeMs + logInMs : 2.5 * TIMES.heartbeatMs;
  }
}

/** A listener that all sockets share, bound to none. */
function ofConnection(handle: (connection: Connection, data: Uint8Array) => void) {
  return function (this: WebSocket, data: unknown): void {
    const { connection } = this as DoorSocket;
    if (connection !== undefined) handle(connection, data as Uint8Array);
  };
}

/** Says why and is gone: who is refused holds nothing here while it takes its time to answer. */
function refuse(socket: WebSocket, code: number, reason: string): void {
  socket.close(code, reason);
  socket.terminate();
}

/** A broken connection says so by 'close' as well. */
function onError(): void {
  return undefined;
}
