import { Injectable } from '@nestjs/common';
import { type SealedChannel, ServerHandshake } from '@sotto/channel';
import { shortLived } from '@sotto/protocol/frames';
import { steadyNow } from '@sotto/platform/clock';
import { GatewayCertificateHolder } from '../certificates/gateway-certificate.js';
import { CloseCode } from './close-codes.js';
import type { Connection } from './connection.js';
import { ConnectionTable } from './connection-table.js';
import { endNow } from './ending.js';
import { FrameDispatcher } from './frame-dispatcher.js';
import { Queue } from './queue.js';

/** Handshakes that are worked on at once: of a hundred that begin together, each step of all would otherwise come before any message. */
const WORKED_ON = 4;

/** Takes what connections say: speaks the handshake with them, then takes their boxes apart. */
@Injectable()
export class Receiver {
  private readonly handshakes = new Queue(WORKED_ON);

  constructor(
    private readonly certificate: GatewayCertificateHolder,
    private readonly table: ConnectionTable,
    private readonly dispatcher: FrameDispatcher,
  ) {}

  /** The server speaks first. */
  greet(connection: Connection): void {
    this.handshakes.run(() => this.sendHello(connection)).catch(() => connection.socket.terminate());
  }

  receive(connection: Connection, data: Uint8Array): void {
    if (connection.deaf) return;
    connection.lastSeen = steadyNow();
    if (connection.channel === undefined) this.finishHandshake(connection, data);
    else this.onBox(connection, data);
  }

  private async sendHello(connection: Connection): Promise<void> {
    if (!this.table.has(connection)) return;
    const { identity } = this.certificate;
    if (identity === undefined) return endNow(connection.socket, CloseCode.TRY_AGAIN_LATER, 'the server waits for its certificate');
    connection.handshake = await ServerHandshake.start(identity);
    connection.socket.send(connection.handshake.hello);
    connection.awaitedSince = steadyNow();
  }

  private finishHandshake(connection: Connection, clientHello: Uint8Array): void {
    const { handshake, socket } = connection;
    if (handshake === undefined) {
      connection.early?.push(clientHello);
      return;
    }
    connection.handshake = undefined;
    connection.awaitedSince = Infinity;
    // Boxes that come before the keys are there: what was read already waits here, the rest in the socket.
    connection.early = [];
    socket.pause();
    this.handshakes
      .run(() => handshake.accept(clientHello))
      .then(
        (channel) => this.startBoxes(connection, channel),
        () => endNow(socket, CloseCode.MALFORMED, 'no ClientHello'),
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
}
