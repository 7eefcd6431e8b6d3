import { type Guest, GuestList } from '@sotto/channel/listening';
import { networkOf } from '@sotto/protocol';
import { Inject, Injectable } from '@nestjs/common';
import type { Socket } from 'node:net';
import { GATEWAY_CONFIG, type GatewayConfig } from '../gateway.config.js';
import { AddressRate } from './address-rate.js';
import { peerAddress } from './client-address.js';
import type { Connection } from './connection.js';
import { ConnectionTable } from './connection-table.js';

/** A request to become a WebSocket is written before anything is waited for. */
const REQUEST_PATIENCE_MS = 2_000;

/** A TCP connection that has not become a WebSocket yet. */
interface Arrival extends Guest {
  readonly socket: Socket;
}

/** What becomes of a newcomer: refused, for this reason, or let in, in place of another connection or beside all. */
export type Verdict = { readonly refusal: string } | { readonly inPlaceOf: Connection | undefined; readonly because: string };

/** Bounds what those take who have not logged in: from one address, and all together. What is refused here has cost no handshake. */
@Injectable()
export class Admission {
  private readonly arrivals = new GuestList<Arrival>(REQUEST_PATIENCE_MS);
  private readonly bySocket = new Map<Socket, Arrival>();
  private readonly rate: AddressRate;

  constructor(
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    private readonly table: ConnectionTable,
  ) {
    this.rate = new AddressRate(config.door.handshakesPerAddress);
  }

  /** Most TCP connections at once, whatever becomes of them. */
  get tcpConnections(): number {
    return this.config.maxConnections + 2 * this.config.door.handshakesAtOnce;
  }

  /** Counts a TCP connection until `became`. A proxy's are its clients', told apart once they have sent their headers. */
  arrive(socket: Socket, now: number): void {
    const peer = peerAddress(socket);
    if (this.config.trustedProxies.includes(peer)) return;
    const arrival = { socket, address: networkOf(peer), awaitedSince: now };
    const { handshakesAtOnce, anonymousPerAddress } = this.config.door;
    const bounds = { together: handshakesAtOnce, ofAddress: anonymousPerAddress };
    if (!this.arrivals.makeRoom(arrival.address, now, bounds, (late) => late.socket.destroy())) return void socket.destroy();
    this.arrivals.enter(arrival);
    this.bySocket.set(socket, arrival);
    socket.once('close', this.onClose);
  }

  /** It has become a WebSocket, or has gone. */
  became(socket: Socket): void {
    const arrival = this.bySocket.get(socket);
    if (arrival === undefined) return;
    this.bySocket.delete(socket);
    this.arrivals.leave(arrival);
    socket.off('close', this.onClose);
  }

  /** Whether a new WebSocket from this address is welcome now. */
  verdict(address: string, now: number): Verdict {
    const { maxConnections, door } = this.config;
    const { handshakes, strangers, size } = this.table;
    if (!this.rate.take(address, now)) return { refusal: 'too many from this address at once' };
    if (strangers.byAddress.of(address) >= door.anonymousPerAddress)
      return placeOf(handshakes.whoGoesAt(address, now), 'too many from this address have not logged in');
    if (size >= maxConnections)
      return placeOf(handshakes.whoGoesFor(address, now) ?? strangers.whoGoesFor(address, now), 'the server is full');
    if (handshakes.size >= door.handshakesAtOnce) return placeOf(handshakes.whoGoesFor(address, now), 'the server is busy with handshakes');
    return { inPlaceOf: undefined, because: '' };
  }

  /** Shared by all sockets. */
  private readonly onClose = Admission.leaving(this);

  private static leaving(admission: Admission) {
    return function (this: Socket): void {
      admission.became(this);
    };
  }
}

function placeOf(connection: Connection | undefined, because: string): Verdict {
  return connection === undefined ? { refusal: because } : { inPlaceOf: connection, because };
}
