import type { MessageInitShape } from '@bufbuild/protobuf';
import { Inject, Injectable } from '@nestjs/common';
import { DEVICE_ROUTE_STORE, type DeviceRoute, type DeviceRouteStore } from '@sotto/platform/live-state';
import { RpcError } from '@sotto/platform/rpc';
import {
  type AttachRequest,
  type AttachResponseSchema,
  ErrorCode,
  fromHex,
  ID_BYTES,
  KEY_BYTES,
  LIMITS,
  TIMES,
  toHex,
} from '@sotto/protocol';
import type { Connection } from '../connections/connection.js';
import { CloseCode } from '../connections/close-codes.js';
import { ConnectionTable } from '../connections/connection-table.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../gateway.config.js';
import { AccessTokenStrategy } from './access-token.strategy.js';
import type { AttachedSession } from './attached-session.js';
import { DeviceNews } from './device-news.js';
import { eventFrame } from './event-frame.js';
import { RecentRevocations } from './recent-revocations.js';
import { spreadOver } from './spread.js';

/** Routes that are put back, or taken out, in one go. */
const AGAIN_AT_ONCE = 500;
const LEAVE_AGAIN_MS = 1_000;
const NONE: Uint8Array = new Uint8Array(0);

/** Ties connections to devices, in the table and in live state. */
@Injectable()
export class SessionService {
  private gateway = 0;
  /** By connection: sessions that may have a route still, as live state was away when it was to be taken out. */
  private readonly lingering = new Map<number, AttachedSession>();
  private leavingAgain: NodeJS.Timeout | undefined;

  constructor(
    @Inject(DEVICE_ROUTE_STORE) private readonly routes: DeviceRouteStore,
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    private readonly table: ConnectionTable,
    private readonly news: DeviceNews,
    private readonly tokens: AccessTokenStrategy,
    private readonly revocations: RecentRevocations,
  ) {}

  start(gateway: number): void {
    this.gateway = gateway;
  }

  stop(): void {
    clearTimeout(this.leavingAgain);
    this.lingering.clear();
  }

  /** `read` is asked for the request once the token is good. Nobody hears of the device before `toldOfAttach`. */
  async attach(
    connection: Connection,
    accessToken: string,
    read: () => AttachRequest,
  ): Promise<MessageInitShape<typeof AttachResponseSchema>> {
    if (connection.session !== undefined || connection.attaching)
      throw new RpcError(ErrorCode.FORBIDDEN, 'This connection is attached already.');
    connection.attaching = true;
    let revoked: string[] = [];
    try {
      const session = await this.tokens.check({ accessToken, binding: connection.channel!.binding });
      this.assertNotRevoked(session);
      const request = read();
      checkRequest(request);
      if (!session.pending) revoked = await this.register(connection, session, request);
      if (connection.socket.readyState !== 1) return await this.leave(session).then(() => ({}));
      // The session may have been revoked while its route was written, when it could not be found to be ended.
      if (this.revocations.cover(session)) await this.leave(session);
      this.assertNotRevoked(session);
      // Also of a pending device, which has no route to tell of it: a device holds one connection here, whatever it attaches as.
      this.replace(this.table.byDevice(session.device));
      this.table.attached(connection, session);
    } finally {
      connection.attaching = false;
    }
    const { retryWindowMs } = this.config;
    const revokedCapabilities = revoked.map(fromHex);
    return { serverTime: BigInt(Date.now()), retryWindow: retryWindowMs / 1_000, heartbeatMs: TIMES.heartbeatMs, revokedCapabilities };
  }

  /** The device has its answer on the way, so that what waits for it may follow. */
  toldOfAttach({ session }: Connection): void {
    if (session?.route !== undefined) this.news.tell(session, true);
  }

  private replace(older: Connection | undefined): void {
    if (older?.socket.readyState === 1) older.socket.close(CloseCode.REPLACED, 'replaced by a newer connection');
  }

  /** Resuming tells whether the device itself was revoked, or only what the token stood for. */
  private assertNotRevoked(session: AttachedSession): void {
    if (this.revocations.cover(session)) throw new RpcError(ErrorCode.UNAUTHENTICATED, 'This session was ended: resume or log in again.');
  }

  /** The connection has closed. */
  async detach(connection: Connection): Promise<void> {
    const { session } = connection;
    if (session !== undefined) await this.leave(session);
  }

  /**
   * Live state was wiped, or may have been, or this gateway was taken for dead: puts every route back, and says so to relays and contacts, who may have
   * found nobody meanwhile. Who has attached elsewhere since then has left here. Rejects when live state is away. @param onceMore a call before this one
   * rejected: what it put back stands, whatever was there before
   */
  async registerAgain(onceMore = false): Promise<void> {
    const attached = [...this.table.values()].filter(({ session }) => session?.route !== undefined);
    for (let from = 0; from < attached.length; from += AGAIN_AT_ONCE)
      await Promise.all(attached.slice(from, from + AGAIN_AT_ONCE).map((connection) => this.putBack(connection, onceMore)));
  }

  private async putBack(connection: Connection, onceMore: boolean): Promise<void> {
    const { session, socket } = connection;
    if (socket.readyState !== 1) return;
    const found = await this.routes.putBack(session!.route!);
    if (found === 'elsewhere') return this.replace(connection);
    if (found === 'put-back' || onceMore) this.tellOfLoss(connection);
    // It left while its route was written, and found nothing to take back.
    if (socket.readyState === 1) this.news.tell(session!, true);
    else await this.leave(session!);
  }

  /** Its route was gone: so may be its key packages, and what was to be told it meanwhile of its contacts had no way to go. */
  private tellOfLoss(connection: Connection): void {
    this.table.write(connection, eventFrame({ kind: { case: 'keyPackagesLow', value: { left: 0 } } }));
    this.table.write(connection, eventFrame({ kind: { case: 'contactsOutdated', value: { withinMs: spreadOver(this.table.size) } } }));
  }

  /** Whether live state has the device at another connection than this one. */
  async isElsewhere({ session, number }: Connection): Promise<boolean> {
    const route = await this.routes.find(session!.device).catch(() => undefined);
    return route !== undefined && (route.gateway !== this.gateway || route.connection !== number);
  }

  /** Live state has it already: here it outlives a wipe, and relays are told to read the route again. */
  capabilitiesRevoked(session: AttachedSession, capabilities: readonly Uint8Array[]): void {
    if (session.route === undefined) return;
    session.route = withRevoked(session.route, capabilities);
    this.news.tell(session, true);
  }

  /** Returns the capabilities that the server revoked and the device did not name. */
  private async register(connection: Connection, session: AttachedSession, request: AttachRequest): Promise<string[]> {
    const route: DeviceRoute = {
      device: session.device,
      account: session.account,
      gateway: this.gateway,
      connection: connection.number,
      // Copies: the request's are views into what it came in.
      deliveryKey: new Uint8Array(request.deliveryKey),
      revokedCapabilities: joined(request.revokedCapabilities),
      invisible: request.invisible,
    };
    session.route = route;
    const { replaced, revoked } = await this.routes.attach(route).catch(() => {
      // It may be written all the same.
      this.leaveLater(session);
      throw new RpcError(ErrorCode.UNAVAILABLE, 'The server is not ready. Try again soon.', 1_000);
    });
    this.lingering.delete(connection.number);
    session.route = withRevoked(route, revoked.map(fromHex));
    // Its own, from an attach of which only the answer was lost, is no older one.
    if (replaced?.gateway === this.gateway && replaced.connection !== connection.number) this.replace(this.table.get(replaced.connection));
    return revoked;
  }

  private async leave(session: AttachedSession, again = false): Promise<void> {
    const { route } = session;
    if (route === undefined) return;
    try {
      const was = await this.routes.detach(route.device, route.gateway, route.connection, this.config.retryWindowMs);
      // A route that is gone altogether was revoked, and its contacts have not heard of it; one of another connection has taken over.
      if (was || !(await this.routes.find(route.device))?.gateway) this.news.tell(session, false);
    } catch {
      this.leaveLater(session);
      // Relays need not wait; contacts find it there still, and hear of it again.
      if (!again) this.news.tell(session, false);
    }
  }

  /** No more than can have been connected: nobody attaches without live state. */
  private leaveLater(session: AttachedSession): void {
    this.lingering.set(session.route!.connection, session);
    if (this.lingering.size > this.config.maxConnections) this.lingering.delete(this.lingering.keys().next().value!);
    if (this.leavingAgain === undefined) this.leaveAgainSoon();
  }

  private leaveAgainSoon(): void {
    this.leavingAgain = setTimeout(() => void this.leaveAgain(), LEAVE_AGAIN_MS).unref();
  }

  /** Not for connections that are open: they may attach yet, and leave when they close. */
  private async leaveAgain(): Promise<void> {
    const closed = [...this.lingering.values()].filter(({ route }) => this.table.get(route!.connection) === undefined);
    for (const { route } of closed) this.lingering.delete(route!.connection);
    for (let from = 0; from < closed.length; from += AGAIN_AT_ONCE)
      await Promise.all(closed.slice(from, from + AGAIN_AT_ONCE).map((session) => this.leave(session, true)));
    this.leavingAgain = undefined;
    if (this.lingering.size > 0) this.leaveAgainSoon();
  }
}

/** At most twice what a device may name: the oldest stand in front, and make room. */
/** Each once, and these last: the first make room. */
function withRevoked(route: DeviceRoute, capabilities: readonly Uint8Array[]): DeviceRoute {
  if (capabilities.length === 0) return route;
  const added = new Set(capabilities.map(toHex));
  const ids = [...idsIn(route.revokedCapabilities).filter((id) => !added.has(id)), ...added];
  return { ...route, revokedCapabilities: fromHex(ids.slice(-2 * LIMITS.revokedCapabilities).join('')) };
}

function idsIn(joined: Uint8Array): string[] {
  return Array.from({ length: joined.length / ID_BYTES }, (_, i) => toHex(joined.subarray(i * ID_BYTES, (i + 1) * ID_BYTES)));
}

function checkRequest(request: AttachRequest): void {
  if (request.deliveryKey.length !== KEY_BYTES) throw new RpcError(ErrorCode.MALFORMED, 'A delivery key has 32 bytes.');
  if (request.revokedCapabilities.length > LIMITS.revokedCapabilities)
    throw new RpcError(ErrorCode.TOO_LARGE, 'At most 4,096 revoked capabilities.');
  if (request.revokedCapabilities.some((id) => id.length !== ID_BYTES))
    throw new RpcError(ErrorCode.MALFORMED, 'A capability id has 16 bytes.');
}

/** All without capabilities to revoke share one empty array. */
function joined(capabilities: readonly Uint8Array[]): Uint8Array {
  return capabilities.length === 0 ? NONE : Buffer.concat(capabilities);
}
