import { Inject, Injectable } from '@nestjs/common';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ErrorCode, PingSchema, PongSchema } from '@sotto/protocol';
import { forEachFrame, FrameKind, WireError, wrapFrame } from '@sotto/protocol/frames';
import { CallRouter } from '../calls/call-router.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../gateway.config.js';
import { RelayLinks } from '../relays/relay-links.js';
import type { Connection } from './connection.js';
import { ConnectionTable } from './connection-table.js';

/** What each frame of a box is for. Unknown kinds are ignored. */
@Injectable()
export class FrameDispatcher {
  constructor(
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    private readonly table: ConnectionTable,
    private readonly calls: CallRouter,
    private readonly relays: RelayLinks,
  ) {}

  /** Throws WireError when the bytes are no Frames, or too many are for nothing; the frames before the fault have been acted on. */
  dispatch(connection: Connection, frames: Uint8Array): void {
    forEachFrame(frames, (kind, start, end) => {
      const message = frames.subarray(start, end);
      if (kind === FrameKind.SEND) this.onSend(connection, message);
      else if (kind === FrameKind.ACK) this.onAck(connection, message);
      else if (kind === FrameKind.CALL) this.calls.handle(connection, message);
      else if (kind === FrameKind.PING) this.onPing(connection, message);
    });
  }

  private onSend(connection: Connection, message: Uint8Array): void {
    if (!receivesMessages(connection))
      return this.refuse(connection, message, ErrorCode.UNAUTHENTICATED, 'Attach as a confirmed device first.');
    if (!connection.takeSend(connection.lastSeen, this.config.sendRate, this.config.sendBurst))
      return this.refuse(connection, message, ErrorCode.RATE_LIMITED, 'Too many messages at once: slow down.');
    this.relays.send(connection, message);
  }

  private refuse(connection: Connection, message: Uint8Array, code: ErrorCode, text: string): void {
    connection.countFree();
    this.relays.refuse(connection, message, code, text);
  }

  private onAck(connection: Connection, message: Uint8Array): void {
    connection.countAck();
    if (receivesMessages(connection)) this.relays.ack(connection, message);
  }

  private onPing(connection: Connection, message: Uint8Array): void {
    connection.countFree();
    let nonce: number;
    try {
      ({ nonce } = fromBinary(PingSchema, message));
    } catch {
      throw new WireError('no Ping');
    }
    this.table.write(connection, wrapFrame(FrameKind.PONG, toBinary(PongSchema, create(PongSchema, { nonce }))));
  }
}

function receivesMessages(connection: Connection): boolean {
  return connection.session?.route !== undefined;
}
