import type { Socket } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { GATEWAY_CONFIG, type GatewayConfig } from '../gateway.config.js';
import { AddressCounts, AddressRate } from './address-counts.js';
import { networkOf, peerAddress } from './client-address.js';
import { ConnectionTable } from './connection-table.js';

/** Bounds what those take who have not logged in: from one address, and all together. What is refused here has cost no handshake. */
@Injectable()
export class Admission {
  /** TCP connections that have not become a WebSocket yet, with their address. */
  private readonly arrived = new Map<Socket, string>();
  private readonly arrivals = new AddressCounts();
  private readonly rate: AddressRate;

  constructor(
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    private readonly table: ConnectionTable,
  ) {
    this.rate = new AddressRate(config.door.handshakesPerAddress);
  }

  /** Most TCP connections at once, whatever becomes of them. */
  get tcpConnections(): number {
    return this.config.maxConnections + this.config.door.handshakesAtOnce;
  }

  /** Counts a TCP connection until `became`. A proxy's are its clients', told apart once they have sent their headers. */
  arrive(socket: Socket): void {
    const peer = peerAddress(socket);
    if (this.config.trustedProxies.includes(peer)) return;
    const address = networkOf(peer);
    if (this.arrivals.of(address) >= this.config.door.anonymousPerAddress) return void socket.destroy();
    this.arrivals.enter(address);
    this.arrived.set(socket, address);
    socket.once('close', this.onClose);
  }

  /** It has become a WebSocket, or has gone. */
  became(socket: Socket): void {
    const address = this.arrived.get(socket);
    if (address === undefined) return;
    this.arrived.delete(socket);
    this.arrivals.leave(address);
    socket.off('close', this.onClose);
  }

  /** Why a new WebSocket from this address is not welcome now; undefined when it is. */
  refusal(address: string, now: number): string | undefined {
    const { maxConnections, door } = this.config;
    if (this.table.size >= maxConnections) return 'the server is full';
    if (this.table.handshakes >= door.handshakesAtOnce) return 'the server is busy with handshakes';
    if (this.table.strangers.of(address) >= door.anonymousPerAddress) return 'too many from this address have not logged in';
    return this.rate.take(address, now) ? undefined : 'too many from this address at once';
  }

  /** Shared by all sockets. */
  private readonly onClose = Admission.bySocket(this);

  private static bySocket(admission: Admission) {
    return function (this: Socket): void {
      admission.became(this);
    };
  }
}
