/** Where a device is connected and by what key it is reached. Ids are lower-case hex. */
export interface DeviceRoute {
  device: string;
  account: string;
  /** Incarnation of the gateway; 0 when the device is away. */
  gateway: number;
  /** The gateway's number of the connection, never used twice in an incarnation. */
  connection: number;
  /** 32 bytes. */
  deliveryKey: Uint8Array;
  /** Capability ids no longer honoured: 16 bytes each, concatenated. */
  revokedCapabilities: Uint8Array;
  invisible: boolean;
}

/** A capability of a device that the server revokes (the device may not know yet), and when it would have ended by itself. */
export interface RevokedCapability {
  /** Lower-case hex of 16 bytes. */
  capability: string;
  /** Unix seconds. */
  expires: number;
}

/**
 * Live connections. A route outlives its connection by `retentionMs` with gateway 0, so that tokens of a device that just left can be checked.
 * Routes of a gateway are valid while its lease stands (LeaseStore); nothing is refreshed per connection.
 */
export interface DeviceRouteStore {
  /**
   * Puts the route, replacing an older one of the device, with what `revoke` was told of beside what the route names itself. Atomic.
   * `replaced`: the route that was there, if it was connected. `revoked`: capabilities that are in it now and that it did not name.
   */
  attach(route: DeviceRoute): Promise<{ replaced: { gateway: number; connection: number } | undefined; revoked: string[] }>;
  /** As `attach`, for a route that may have been lost, unless the device is at another connection by now: there it stays. Atomic. */
  putBack(route: DeviceRoute): Promise<'was-there' | 'put-back' | 'elsewhere'>;
  /**
   * Revokes capabilities of a device in the route that it has, and in those that it attaches later, until they expire or the device names them
   * itself. Atomic. At most LIMITS.revokedCapabilities a device; those that end first make room.
   */
  revoke(device: string, revoked: readonly RevokedCapability[]): Promise<void>;
  /** Marks the device as away if it is still at this connection. Returns whether it was. Atomic. */
  detach(device: string, gateway: number, connection: number, retentionMs: number): Promise<boolean>;
  /** The route as stored; the caller checks the gateway's lease. */
  find(device: string): Promise<DeviceRoute | undefined>;
  /** Connected devices of an account (routes with a gateway; leases are the caller's to check). */
  connectedDevices(account: string): Promise<{ device: string; gateway: number; connection: number; invisible: boolean }[]>;
  /** As connectedDevices, for many accounts at once; accounts with none are absent. */
  connectedDevicesOf(
    accounts: string[],
  ): Promise<Map<string, { device: string; gateway: number; connection: number; invisible: boolean }[]>>;
  /**
   * Devices connected at this gateway when it died, with their accounts; forgets them (as detach). Each device is returned to one caller only. A
   * gateway that has taken up its lease again meanwhile keeps them: it has put them back itself.
   */
  takeDevicesOf(gateway: number, retentionMs: number): Promise<{ device: string; account: string }[]>;
  /** Forgets all of a device (revoked) at once, and what `revoke` was told of it. */
  forget(device: string): Promise<void>;
}

export const DEVICE_ROUTE_STORE = Symbol('DEVICE_ROUTE_STORE');

/** A device with a connection, as lists of an account's devices carry it. */
export type ConnectedDevice = Pick<DeviceRoute, 'device' | 'gateway' | 'connection' | 'invisible'>;
