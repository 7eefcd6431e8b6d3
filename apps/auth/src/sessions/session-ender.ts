import { Inject, Injectable, Logger } from '@nestjs/common';
import { create, toBinary } from '@bufbuild/protobuf';
import { fromHex } from '@sotto/protocol';
import { ContactLookup, KeyPackageLedger, SessionsRevokedSchema } from '@sotto/protocol/internal';
import { BUS, type Bus } from '@sotto/platform/bus';
import { AccountEvents, DEVICE_ROUTE_STORE, type DeviceRouteStore } from '@sotto/platform/live-state';
import { RpcClient } from '@sotto/platform/rpc';
import { APPROVAL_STORE, type ApprovalStore } from '../approvals/approval.store.js';
import { DEVICE_PLACE_STORE, type DevicePlaceStore } from '../device-places/device-place.store.js';

import { unixNow } from './unix-now.js';

const SESSIONS_REVOKED = 'sessions.revoked';
/** Within this an answer has reached its gateway. */
const ANSWERED_MS = 200;

/** Ends open connections and forgets what devices left in live state. What it cannot reach heals by itself: gateways ask once a minute, and stock expires. */
@Injectable()
export class SessionEnder {
  private readonly logger = new Logger(SessionEnder.name);

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(DEVICE_ROUTE_STORE) private readonly routes: DeviceRouteStore,
    @Inject(APPROVAL_STORE) private readonly approvals: ApprovalStore,
    @Inject(DEVICE_PLACE_STORE) private readonly places: DevicePlaceStore,
    private readonly rpc: RpcClient,
    private readonly events: AccountEvents,
  ) {}

  /** @param except device id, '' for none. */
  async endAll(account: string, except: string): Promise<void> {
    this.publish({ account: fromHex(account), exceptDevice: fromHex(except) });
    await this.tolerate('forget approvals', () => this.approvals.forgetAll(account));
  }

  /** The session whose own call ends it: the answer goes out first. */
  endCaller(account: string, device: string): void {
    setTimeout(() => this.publish({ account: fromHex(account), device: fromHex(device) }), ANSWERED_MS).unref();
  }

  /** @param caller the device that asks. */
  async endDevice(account: string, device: string, caller: string): Promise<void> {
    if (device === caller) this.endCaller(account, device);
    else this.publish({ account: fromHex(account), device: fromHex(device) });
    await this.tolerate('forget the route', async () => {
      // Ids of other people's devices are no secret to their contacts: only the account's own are forgotten.
      if ((await this.routes.find(device))?.account === account) await this.routes.forget(device);
    });
    await this.forgetApproval(account, device);
    await this.forgetKeyPackages(account, device);
  }

  /** The device waits no more. */
  async forgetApproval(account: string, device: string): Promise<void> {
    await this.tolerate('forget an approval', () => this.approvals.forget(account, device));
  }

  /** @param device '' for all of the account. */
  async forgetKeyPackages(account: string, device: string): Promise<void> {
    const request = { account: fromHex(account), device: fromHex(device) };
    await this.tolerate('forget key packages', () => this.rpc.call(KeyPackageLedger.method.forget, request));
  }

  async forgetRoutes(account: string): Promise<void> {
    await this.tolerate('forget the routes', async () => {
      const devices = await this.routes.connectedDevices(account);
      await Promise.all(devices.map(({ device }) => this.routes.forget(device)));
    });
  }

  async forgetPlaces(account: string): Promise<void> {
    await this.tolerate('forget the places', () => this.places.forget(account));
  }

  /** Of a new identity key. */
  async tellContacts(account: string): Promise<void> {
    const changed = { account: fromHex(account), identityKeyChanged: true };
    await this.tolerate('tell contacts', () => this.rpc.call(ContactLookup.method.accountChanged, changed));
  }

  async tellDevices(account: string): Promise<void> {
    await this.tolerate('tell devices', () => this.events.toPendingToo(account, { kind: { case: 'devicesChanged', value: {} } }));
  }

  private publish(revoked: { account: Uint8Array; device?: Uint8Array; exceptDevice?: Uint8Array }): void {
    // The next second: nothing that was issued within this one survives.
    const message = create(SessionsRevokedSchema, { ...revoked, validAfter: BigInt(unixNow() + 1) });
    this.bus.publish(SESSIONS_REVOKED, toBinary(SessionsRevokedSchema, message));
  }

  private async tolerate(what: string, task: () => Promise<unknown>): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.logger.warn(`could not ${what}: ${error instanceof Error ? error.name : 'unknown'}`);
    }
  }
}
