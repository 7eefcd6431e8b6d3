import { type Guest, GuestList } from '@sotto/channel/listening';
import { networkOf, plainAddress } from '@sotto/protocol';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { LIMITS, TIMES } from '@sotto/protocol';
import { WebSocket, WebSocketServer } from 'ws';
import { ClientError } from '../client-error.js';
import type { Socket } from '../connection/socket.js';
import { PEER_SUBPROTOCOL } from '../peer/dialing.js';
import type { PeerClient } from '../peer/peer-client.js';

/** RFC 6455 §7.4.1 and IANA's registry. */
const PROTOCOL_ERROR = 1002;
const TRY_AGAIN_LATER = 1013;

const BOUNDS = { together: LIMITS.unprovenPeers, ofAddress: LIMITS.unprovenPeersPerAddress };
/** A step takes a round trip. */
const PATIENCE_MS = 2_000;
/** How long one that was refused may take to hear why. */
const FAREWELL_MS = 1_000;

/** Somebody who has not proven who they are. */
interface Caller extends Guest {
  end(): void;
}

/** Where peers reach a device: a listening socket, with bounds on what strangers can hold of it. */
export class PeerDoor {
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: LIMITS.boxBytes,
    handleProtocols: (offered) => (offered.has(PEER_SUBPROTOCOL) ? PEER_SUBPROTOCOL : false),
  });
  /** TCP connections that have not become a WebSocket, and WebSockets whose other end has not proven who it is. */
  readonly #arrivals = new GuestList<Caller>(PATIENCE_MS);
  readonly #unproven = new GuestList<Caller>(PATIENCE_MS);
  readonly #callers = new WeakMap<TcpSocket, Caller>();

  private constructor(
    private readonly client: PeerClient,
    /** Why somebody was not let in. */
    private readonly onRefused: (error: Error) => void,
  ) {
    const timeouts = { headersTimeout: TIMES.peerHandshakeMs, requestTimeout: TIMES.peerHandshakeMs };
    this.#http = createServer({ ...timeouts, connectionsCheckingInterval: 1_000 }, (_, response) =>
      response.writeHead(426, { upgrade: 'websocket', connection: 'close' }).end('This is a Sotto peer.\n'),
    );
    this.#http.maxConnections = LIMITS.peerConnections;
    this.#http.on('connection', (socket: TcpSocket) => this.#arrive(socket));
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Throws ClientError `port-in-use`; what else keeps it from listening, as the system says it. */
  static async open(client: PeerClient, at: { host: string; port: number }, onRefused: (error: Error) => void): Promise<PeerDoor> {
    const door = new PeerDoor(client, onRefused);
    door.#http.listen(at.port, at.host);
    try {
      await once(door.#http, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE')
        throw new ClientError('port-in-use', `port ${at.port} is in use already: take another`);
      throw error;
    }
    return door;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  /** Nobody comes in any more; links that stand are the client's to close. */
  close(): void {
    this.#http.close();
    for (const caller of [...this.#arrivals, ...this.#unproven]) caller.end();
  }

  #arrive(socket: TcpSocket): void {
    const caller = { address: addressOf(socket), awaitedSince: Date.now(), end: () => void socket.destroy() };
    if (!enter(this.#arrivals, caller)) return caller.end();
    this.#callers.set(socket, caller);
    socket.once('close', () => this.#arrivals.leave(caller));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const arrived = this.#callers.get(request.socket);
    if (arrived !== undefined) this.#arrivals.leave(arrived);
    this.#sockets.handleUpgrade(request, socket, head, (websocket) => {
      // One that nobody hears ends the process.
      websocket.on('error', () => undefined);
      if (websocket.protocol !== PEER_SUBPROTOCOL) return endNow(websocket, PROTOCOL_ERROR, `offer the subprotocol ${PEER_SUBPROTOCOL}`);
      const end = () => endNow(websocket, TRY_AGAIN_LATER, 'too many connections');
      const caller = { address: addressOf(request.socket), awaitedSince: Date.now(), end };
      if (!enter(this.#unproven, caller)) return end();
      void this.#meet(websocket).finally(() => this.#unproven.leave(caller));
    });
  }

  async #meet(socket: WebSocket): Promise<void> {
    try {
      await this.client.accept(socket as unknown as Socket);
    } catch (error) {
      this.onRefused(error as Error);
      await closed(socket);
    }
  }
}

function enter(list: GuestList<Caller>, caller: Caller): boolean {
  const hasRoom = list.makeRoom(caller.address, caller.awaitedSince, BOUNDS, (late) => late.end());
  if (hasRoom) list.enter(caller);
  return hasRoom;
}

function addressOf(socket: TcpSocket): string {
  return networkOf(plainAddress(socket.remoteAddress ?? ''));
}

/** Says why and is gone: who is sent away holds nothing here while it takes its time to answer. */
function endNow(socket: WebSocket, code: number, reason: string): void {
  socket.close(code, reason);
  socket.terminate();
}

/** Closing waits for the other end, which may never answer. */
async function closed(socket: WebSocket): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return;
  const patience = setTimeout(() => socket.terminate(), FAREWELL_MS);
  await once(socket, 'close');
  clearTimeout(patience);
}
