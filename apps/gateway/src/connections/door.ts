import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { LIMITS } from '@sotto/protocol';
import { steadyNow } from '@sotto/platform/clock';
import { WebSocket, WebSocketServer } from 'ws';
import { GatewayCertificateHolder } from '../certificates/gateway-certificate.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../gateway.config.js';
import { SessionService } from '../sessions/session.service.js';
import { Admission } from './admission.js';
import { clientAddress } from './client-address.js';
import { CloseCode } from './close-codes.js';
import { Connection } from './connection.js';
import { ConnectionTable } from './connection-table.js';
import { endNow } from './ending.js';
import { whyOverdue } from './patience.js';
import { Receiver } from './receiver.js';

const SUBPROTOCOL = 'sotto.v1';
const SWEEP_MS = 5_000;
/** Milliseconds that one who is told to go, and should learn why, has for an answer: after that its place is another's. Types of ws don't know it yet. */
const FAREWELL = { closeTimeout: 2_000 };
/** Pieces of an unfinished message, each of which takes some hundred bytes beside its own: a box in reads or fragments of 128 and 512 bytes. */
const MOST_CHUNKS = LIMITS.boxBytes / 128;
const MOST_FRAGMENTS = LIMITS.boxBytes / 512;

/** Knows its connection, so that all sockets share their listeners and no table of sockets is needed. */
class DoorSocket extends WebSocket {
  connection: Connection | undefined;
}

/** The WebSocket server: lets connections in, and ends those that nothing is heard from. One timer for all connections. */
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
    maxBufferedChunks: MOST_CHUNKS,
    maxFragments: MOST_FRAGMENTS,
    ...FAREWELL,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  private sweeper: NodeJS.Timeout | undefined;
  private closing = false;

  constructor(
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    private readonly certificate: GatewayCertificateHolder,
    private readonly admission: Admission,
    private readonly table: ConnectionTable,
    private readonly receiver: Receiver,
    private readonly sessions: SessionService,
  ) {
    const { handshakeMs } = config.door;
    // Also of a connection that never says a word, or says it letter by letter.
    const impatience = { headersTimeout: handshakeMs, requestTimeout: handshakeMs, connectionsCheckingInterval: SWEEP_MS };
    this.http = createServer(impatience, (_, response) =>
      response.writeHead(426, { upgrade: 'websocket', connection: 'close' }).end('This is a Sotto server.\n'),
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
    this.http.on('connection', (socket) => this.admission.arrive(socket, steadyNow()));
    this.http.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
    await new Promise<void>((resolve, reject) => {
      this.http.once('error', reject);
      this.http.listen(this.config.port, this.config.host, resolve);
    });
    this.sweeper = setInterval(() => this.sweep(steadyNow()), SWEEP_MS);
    return (this.http.address() as AddressInfo).port;
  }

  /** Somebody who comes now is let in. */
  get isOpen(): boolean {
    return this.http.listening;
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
      if (socket.protocol !== SUBPROTOCOL) return endNow(socket, CloseCode.NO_SUBPROTOCOL, `offer the subprotocol ${SUBPROTOCOL}`);
      const address = clientAddress(request, this.config.trustedProxies);
      const verdict = this.admission.verdict(address, steadyNow());
      if ('refusal' in verdict) return endNow(socket, CloseCode.TRY_AGAIN_LATER, verdict.refusal);
      if (verdict.inPlaceOf !== undefined) this.sendAway(verdict.inPlaceOf, verdict.because);
      this.welcome(new Connection(this.table.takeNumber(), socket, stream, address, steadyNow()), socket, stream);
    });
  }

  /** Its place is free at once, whenever the socket says that it is closed. */
  private sendAway(connection: Connection, reason: string): void {
    endNow(connection.socket, CloseCode.TRY_AGAIN_LATER, reason);
    void this.left(connection);
  }

  private welcome(connection: Connection, socket: DoorSocket, stream: Duplex): void {
    socket.connection = connection;
    this.table.add(connection);
    socket.on('message', this.onMessage);
    watchUnfinished(connection, stream);
    socket.on('ping', this.onControl);
    socket.on('pong', this.onControl);
    socket.on('close', this.onClose);
    this.receiver.greet(connection);
  }

  private readonly onMessage = ofConnection((connection, data) => {
    if (connection.session === undefined) {
      if (isTooLong(connection, data.length)) return;
      connection.unfinished -= data.length;
    }
    this.receiver.receive(connection, data);
  });

  /** A ping or pong of WebSocket itself, which ws has answered: they cost their sender nothing, like the frames that `countFree` is about. */
  private readonly onControl = ofConnection((connection) => {
    // One read may hold thousands.
    if (connection.socket.readyState !== connection.socket.OPEN) return;
    try {
      connection.countFree(steadyNow());
    } catch {
      endNow(connection.socket, CloseCode.MALFORMED, 'too many pings');
    }
  });

  private readonly onClose = ofConnection((connection) => void this.left(connection));

  private async left(connection: Connection): Promise<void> {
    if (!this.table.has(connection)) return;
    this.table.remove(connection);
    await this.sessions.detach(connection).catch(() => this.log.warn('a device could not be marked as away'));
    connection.channel?.close();
  }

  private sweep(now: number): void {
    for (const connection of this.table.values()) {
      const reason = whyOverdue(connection, now, this.config.door);
      if (reason !== undefined) endNow(connection.socket, CloseCode.TIMEOUT, reason);
    }
  }
}

/** A listener that all sockets share, bound to none. */
function ofConnection(handle: (connection: Connection, data: Uint8Array) => void) {
  return function (this: WebSocket, data: unknown): void {
    const { connection } = this as DoorSocket;
    if (connection !== undefined) handle(connection, data as Uint8Array);
  };
}

/** Until it has logged in: ws knows one limit, which is that of those who have. Hears of what came after ws, which has taken the whole messages out of it. */
function watchUnfinished(connection: Connection, stream: Duplex): void {
  const onData = (chunk: Buffer) => {
    if (connection.session !== undefined) return void stream.off('data', onData);
    connection.unfinished += chunk.length;
    isTooLong(connection, connection.unfinished);
  };
  stream.on('data', onData);
}

/** Ends the connection of a stranger who says so much at a time. */
function isTooLong({ socket }: Connection, bytes: number): boolean {
  if (bytes <= LIMITS.strangerMessageBytes) return false;
  endNow(socket, CloseCode.TOO_LONG, 'log in before you say so much');
  return true;
}

/** A broken connection says so by 'close' as well. */
function onError(): void {
  return undefined;
}
