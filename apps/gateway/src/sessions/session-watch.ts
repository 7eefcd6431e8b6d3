import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { Inject, Injectable } from '@nestjs/common';
import { BUS, type Bus, type Subscription } from '@sotto/platform/bus';
import { gatewayEventSubject } from '@sotto/platform/leases';
import { RpcClient } from '@sotto/platform/rpc';
import { EventSchema, fromHex, toHex } from '@sotto/protocol';
import { FrameKind, wrapFrame } from '@sotto/protocol/frames';
import { DeviceChangedSchema, GatewayEventSchema, Gateways, SessionsRevokedSchema } from '@sotto/protocol/internal';
import { CloseCode } from '../connections/close-codes.js';
import type { Connection } from '../connections/connection.js';
import { ConnectionTable } from '../connections/connection-table.js';
import type { AttachedSession } from './attached-session.js';
import { eventFrame } from './event-frame.js';
import { RecentRevocations } from './recent-revocations.js';
import { SessionService } from './session.service.js';

const CHECK_MS = 60_000;
/** Sessions in one question: what a bus message holds several times over. */
const CHECK_AT_ONCE = 5_000;

/** Ends sessions that are over, and passes events of the services on to devices. */
@Injectable()
export class SessionWatch {
  private readonly subscriptions: Subscription[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly table: ConnectionTable,
    private readonly rpc: RpcClient,
    private readonly sessions: SessionService,
    private readonly revocations: RecentRevocations,
  ) {}

  start(gateway: number): void {
    this.subscriptions.push(
      this.bus.subscribe(gatewayEventSubject(gateway), (payload) => this.onEvent(payload)),
      this.bus.subscribe('sessions.revoked', (payload) => this.onRevoked(payload)),
      this.bus.subscribe('device.changed', (payload) => this.onDeviceChanged(payload, gateway)),
      // What was published while the broker was away is lost without an error.
      this.bus.onStatus((connected) => connected && this.check()),
    );
    this.timer = setInterval(() => this.check(), CHECK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    for (const subscription of this.subscriptions) subscription.unsubscribe();
  }

  private onEvent(payload: Uint8Array): void {
    const { account, device, event } = fromBinary(GatewayEventSchema, payload);
    if (event === undefined) return;
    const frame = wrapFrame(FrameKind.EVENT, toBinary(EventSchema, event));
    for (const connection of this.table.byAccount(toHex(account))) {
      if (device.length > 0 && connection.session!.device !== toHex(device)) continue;
      if (event.kind.case === 'capabilitiesRevoked') this.sessions.capabilitiesRevoked(connection.session!, event.kind.value.capabilities);
      this.table.write(connection, frame);
    }
  }

  private onRevoked(payload: Uint8Array): void {
    const revoked = fromBinary(SessionsRevokedSchema, payload);
    this.revocations.add(revoked, Date.now());
    for (const connection of [...this.table.byAccount(toHex(revoked.account))]) {
      const session = connection.session!;
      if (this.revocations.cover(session)) this.end(connection);
      // The device that changed the password goes on: its session counts from then.
      else if (revoked.device.length === 0) session.since = Math.max(session.since, Number(revoked.validAfter));
    }
  }

  private onDeviceChanged(payload: Uint8Array, here: number): void {
    const { device, online, gateway } = fromBinary(DeviceChangedSchema, payload);
    const connection = online && gateway !== here ? this.table.byDevice(toHex(device)) : undefined;
    if (connection !== undefined) void this.endIfElsewhere(connection);
  }

  /** The device attached at another gateway as well. Which of the two was last is in live state: what they say of it may cross. */
  private async endIfElsewhere(connection: Connection): Promise<void> {
    if (await this.sessions.isElsewhere(connection)) connection.socket.close(CloseCode.REPLACED, 'replaced by a newer connection');
  }

  /** Auth away: connections stay. */
  private check(): void {
    this.checkAll().catch(() => undefined);
  }

  /** All sessions are asked about, in case that a `sessions.revoked` was lost. */
  private async checkAll(): Promise<void> {
    const sessions = [...this.table.values()].flatMap(({ session }) => (session === undefined ? [] : [session]));
    for (let from = 0; from < sessions.length; from += CHECK_AT_ONCE) await this.endThoseOver(sessions.slice(from, from + CHECK_AT_ONCE));
  }

  private async endThoseOver(sessions: readonly AttachedSession[]): Promise<void> {
    const refs = sessions.map(({ account, device, since }) => ({
      account: fromHex(account),
      device: fromHex(device),
      since: BigInt(since),
    }));
    const { over } = await this.rpc.call(Gateways.method.checkSessions, { sessions: refs });
    for (const { device } of over) {
      const connection = this.table.byDevice(toHex(device));
      if (connection !== undefined) this.end(connection);
    }
  }

  private end(connection: Connection): void {
    this.table.write(connection, eventFrame({ kind: { case: 'sessionRevoked', value: {} } }));
    this.table.flush();
    connection.deaf = true;
    connection.socket.close(CloseCode.REVOKED, 'the session was revoked');
  }
}
