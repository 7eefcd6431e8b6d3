import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
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

/** Where peers reach a device: a listening socket, with bounds on what strangers can hold of it. */
export class PeerDoor {
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: LIMITS.boxBytes,
    handleProtocols: (offered) => (offered.has(PEER_SUBPROTOCOL) ? PEER_SUBPROTOCOL : false),
  });
  /** Connections whose other end has not proven who it is, by address. */
  readonly #unproven = new Map<WebSocket, string>();

  private constructor(
    private readonly client: PeerClient,
    /** Why somebody was not let in. */
    private readonly onRefused: (error: Error) => void,
  ) {
    const timeouts = { headersTimeout: TIMES.peerHandshakeMs, requestTimeout: TIMES.peerHandshakeMs };
    this.#http = createServer({ ...timeouts, connectionsCheckingInterval: 1_000 }, (_, response) =>
      response.writeHead(426, { upgrade: 'websocket' }).end('This is a Sotto peer.\n'),
    );
    this.#http.maxConnections = LIMITS.peerConnections;
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
    for (const socket of this.#unproven.keys()) socket.terminate();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#sockets.handleUpgrade(request, socket, head, (websocket) => {
      // One that nobody hears ends the process.
      websocket.on('error', () => undefined);
      const address = request.socket.remoteAddress ?? '';
      if (websocket.protocol !== PEER_SUBPROTOCOL) return websocket.close(PROTOCOL_ERROR, `offer the subprotocol ${PEER_SUBPROTOCOL}`);
      if (!this.#hasRoomFor(address)) return websocket.close(TRY_AGAIN_LATER, 'too many connections');
      void this.#meet(websocket, address);
    });
  }

  #hasRoomFor(address: string): boolean {
    const same = [...this.#unproven.values()].filter((each) => each === address).length;
    return this.#unproven.size < LIMITS.unprovenPeers && same < LIMITS.unprovenPeersPerAddress;
  }

  async #meet(socket: WebSocket, address: string): Promise<void> {
    this.#unproven.set(socket, address);
    try {
      await this.client.accept(socket as unknown as Socket);
    } catch (error) {
      // Closing waits for the other end, which may never answer.
      setTimeout(() => socket.terminate(), 1_000).unref();
      this.onRefused(error as Error);
    } finally {
      this.#unproven.delete(socket);
    }
  }
}
