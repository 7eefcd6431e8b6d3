import { Injectable } from '@nestjs/common';
import type { SealedChannel } from '@sotto/channel';
import { GuestList } from '@sotto/channel/listening';
import { steadyNow } from '@sotto/platform/clock';
import type { AttachedSession } from '../sessions/attached-session.js';
import { CloseCode } from './close-codes.js';
import type { Connection } from './connection.js';

/** An answer takes a round trip; a log-in a few. */
const HANDSHAKE_PATIENCE_MS = 2_000;
const LOG_IN_PATIENCE_MS = 10_000;

/** All connections of this gateway, and who they belong to. Flushes each at the end of the turn in which it was written to. */
@Injectable()
export class ConnectionTable {
  private readonly connections = new Map<number, Connection>();
  private readonly devices = new Map<string, Connection>();
  /** Mostly one each, for which a Set would be large. */
  private readonly accounts = new Map<string, Connection[]>();
  private dirty: Connection[] = [];
  private nextNumber = 1;
  /** Connections that have no channel yet. */
  readonly handshakes = new GuestList<Connection>(HANDSHAKE_PATIENCE_MS);
  /** Connections that have not logged in: those, and others. */
  readonly strangers = new GuestList<Connection>(LOG_IN_PATIENCE_MS);
  boxesSent = 0;
  framesSent = 0;

  get size(): number {
    return this.connections.size;
  }

  takeNumber(): number {
    return this.nextNumber++;
  }

  add(connection: Connection): void {
    this.connections.set(connection.number, connection);
    this.handshakes.enter(connection);
    this.strangers.enter(connection);
  }

  has(connection: Connection): boolean {
    return this.connections.get(connection.number) === connection;
  }

  /** The handshake is over. */
  opened(connection: Connection, channel: SealedChannel): void {
    connection.channel = channel;
    connection.awaitedSince = steadyNow();
    this.handshakes.leave(connection);
  }

  get(number: number): Connection | undefined {
    return this.connections.get(number);
  }

  byDevice(device: string): Connection | undefined {
    return this.devices.get(device);
  }

  byAccount(account: string): Iterable<Connection> {
    return this.accounts.get(account) ?? [];
  }

  values(): Iterable<Connection> {
    return this.connections.values();
  }

  /** Indexes a connection that has logged in. */
  attached(connection: Connection, session: AttachedSession): void {
    connection.session = session;
    this.strangers.leave(connection);
    const { account, device } = session;
    this.devices.set(device, connection);
    const ofAccount = this.accounts.get(account);
    if (ofAccount === undefined) this.accounts.set(account, [connection]);
    else ofAccount.push(connection);
  }

  remove(connection: Connection): void {
    this.connections.delete(connection.number);
    this.handshakes.leave(connection);
    this.strangers.leave(connection);
    const { session } = connection;
    if (session === undefined) return;
    if (this.devices.get(session.device) === connection) this.devices.delete(session.device);
    const left = (this.accounts.get(session.account) ?? []).filter((one) => one !== connection);
    if (left.length > 0) this.accounts.set(session.account, left);
    else this.accounts.delete(session.account);
  }

  /** Puts a frame (an entry of Frames) into the connection's next box; `rest`: its end, which other connections' frames may share. */
  write(connection: Connection, frame: Uint8Array, rest?: Uint8Array): void {
    // Closing: nothing would take the frames out again.
    if (connection.socket.readyState !== 1) return;
    this.framesSent++;
    const first = connection.queue(frame);
    if (rest !== undefined) connection.queue(rest);
    if (!first) return;
    if (this.dirty.length === 0) setImmediate(this.flush);
    this.dirty.push(connection);
  }

  /** Sends every box that has gathered. */
  readonly flush = (): void => {
    const { dirty } = this;
    this.dirty = [];
    for (const connection of dirty) {
      this.boxesSent++;
      if (connection.socket.readyState !== 1) continue;
      try {
        if (!connection.flush()) connection.socket.close(CloseCode.TOO_SLOW, 'too much unread');
      } catch {
        // One connection's frames that fit no box must end neither the others' turn nor the process.
        connection.socket.close(CloseCode.MALFORMED, 'a frame that fits no box');
      }
    }
  };
}
