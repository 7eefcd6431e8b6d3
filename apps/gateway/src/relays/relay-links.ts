import { Inject, Injectable } from '@nestjs/common';
import { BatchPublisher } from '@sotto/platform/batches';
import { BUS, type Bus, type Subscription } from '@sotto/platform/bus';
import { gatewayOutSubject, LeaseWatch, relayInSubject } from '@sotto/platform/leases';
import { LEASE_STORE, type LeaseStore } from '@sotto/platform/live-state';
import { ErrorCode, ReceiptSchema, ReceiptStatus } from '@sotto/protocol';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  encodeDeliverStart,
  encodeNotHere,
  encodeReceipt,
  encodeRelayInput,
  FrameKind,
  type GatewayBatchVisitor,
  idOfSend,
  parseAck,
  readGatewayBatch,
  wrapFrame,
} from '@sotto/protocol/frames';
import type { Connection } from '../connections/connection.js';
import { ConnectionTable } from '../connections/connection-table.js';

const NO_BYTES = new Uint8Array(0);

/** The hot path's half in the gateway: messages of connections to their relays, frames of relays to connections. */
@Injectable()
export class RelayLinks implements GatewayBatchVisitor {
  private relays!: LeaseWatch;
  private inputs!: BatchPublisher;
  private subscription: Subscription | undefined;

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(LEASE_STORE) private readonly leases: LeaseStore,
    private readonly table: ConnectionTable,
  ) {}

  async start(incarnation: number): Promise<void> {
    this.inputs = new BatchPublisher(this.bus, incarnation, relayInSubject);
    this.relays = new LeaseWatch(this.leases, 'relay', { gone: (relay) => this.relayGone(relay) });
    this.subscription = this.bus.subscribe(gatewayOutSubject(incarnation), this.onBatch);
    await this.relays.start();
  }

  stop(): void {
    this.relays.stop();
    this.subscription?.unsubscribe();
  }

  get anyAlive(): boolean {
    return this.relays.alive.length > 0;
  }

  /** A serialised Send of an attached connection. */
  send(connection: Connection, message: Uint8Array): void {
    // What is published while the broker is away would be lost without a word (Bus).
    if (!this.bus.connected) return this.refuse(connection, message, ErrorCode.UNAVAILABLE, 'No relay can be reached: try again soon.');
    const relay = this.relayOf(connection);
    if (relay === 0) return this.refuse(connection, message, ErrorCode.UNAVAILABLE, 'No relay is running: try again soon.');
    const { deviceBytes, accountBytes } = connection.session!;
    this.inputs.add(relay, encodeRelayInput('send', connection.number, deviceBytes, accountBytes, message));
  }

  /** A serialised Ack: it goes to the relay that made the delivery. Throws WireError. */
  ack(connection: Connection, message: Uint8Array): void {
    const { relay } = parseAck(message);
    if (!this.relays.has(relay)) return;
    const { deviceBytes, accountBytes } = connection.session!;
    this.inputs.add(relay, encodeRelayInput('ack', connection.number, deviceBytes, accountBytes, message));
  }

  refuse(connection: Connection, message: Uint8Array, code: ErrorCode, text: string): void {
    const receipt = create(ReceiptSchema, {
      id: idOfSend(message),
      status: ReceiptStatus.REFUSED,
      error: { code, text, retryAfterMs: 1_000 },
    });
    this.table.write(connection, wrapFrame(FrameKind.RECEIPT, toBinary(ReceiptSchema, receipt)));
  }

  private relayOf(connection: Connection): number {
    if (connection.relay === 0 || !this.relays.has(connection.relay)) {
      const { alive } = this.relays;
      connection.relay = alive[Math.floor(Math.random() * alive.length)] ?? 0;
    }
    return connection.relay;
  }

  private readonly onBatch = (batch: Uint8Array): void => {
    readGatewayBatch(batch, this);
  };

  /** A frame of a relay for a connection. What is lost with the connection, its sender asks for again. */
  frame(_relay: number, number: number, frame: Uint8Array): void {
    const connection = this.table.get(number);
    if (connection !== undefined) this.table.write(connection, frame);
  }

  /** A payload of a relay for a connection, or the relay's to send elsewhere. */
  delivery(relay: number, number: number, delivery: number, payload: Uint8Array): void {
    const connection = this.table.get(number);
    if (connection !== undefined && connection.socket.readyState === 1) {
      const start = encodeDeliverStart(relay, delivery, payload.length);
      // A relay repeats what is not acknowledged: a device that has not been sent it all yet would get ever more.
      if (connection.holds(start)) return;
      connection.countDelivery();
      this.table.write(connection, start, payload);
    } else this.inputs.add(relay, encodeNotHere(number, NO_ID, NO_ID, delivery, relay));
  }

  /** What the relay had accepted is to be sent again: its senders are told (docs/protocol.md § Sending). */
  private relayGone(relay: number): void {
    const lost = encodeReceipt(NO_BYTES, NO_BYTES, ReceiptStatus.RELAY_LOST, relay);
    for (const connection of this.table.values()) {
      if (connection.relay !== relay) continue;
      connection.relay = 0;
      this.table.write(connection, lost);
    }
  }
}

const NO_ID = new Uint8Array(16);
