import { fromBinary } from '@bufbuild/protobuf';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BUS } from '@sotto/platform/bus';
import type { Bus, Subscription } from '@sotto/platform/bus';
import { LeaseWatch } from '@sotto/platform/leases';
import { DEVICE_ROUTE_STORE, LEASE_STORE } from '@sotto/platform/live-state';
import type { DeviceRouteStore, LeaseStore } from '@sotto/platform/live-state';
import { toHex } from '@sotto/protocol';
import { DeviceChangedSchema } from '@sotto/protocol/internal';
import { CONTACTS_CONFIG } from '../config.js';
import type { ContactsConfig } from '../config.js';
import { MissedEvents } from '../events/missed-events.js';
import { type Listed, PresenceAudience } from './presence-audience.js';

/** An absence that is not yet told. */
interface Absence {
  timer: NodeJS.Timeout;
  /** When it is told. Unix milliseconds. */
  at: number;
  /** Accounts to whom it is one even if the account stays. */
  lostBy: Set<string>;
}

/** Tells accepted contacts when an account comes and goes. An account is online while one device that is not invisible is. */
@Injectable()
export class PresenceService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(PresenceService.name);
  private readonly settling = new Map<string, Absence>();
  private subscriptions: Subscription[] = [];
  private readonly gateways: LeaseWatch;

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(DEVICE_ROUTE_STORE) private readonly routes: DeviceRouteStore,
    @Inject(LEASE_STORE) leases: LeaseStore,
    @Inject(CONTACTS_CONFIG) private readonly config: ContactsConfig,
    private readonly audience: PresenceAudience,
    private readonly missed: MissedEvents,
  ) {
    this.gateways = new LeaseWatch(leases, 'gateway', { gone: (incarnation) => this.run(this.clearGateway(incarnation)) });
  }

  async onApplicationBootstrap(): Promise<void> {
    this.subscriptions = [
      this.bus.subscribe('device.changed', (payload) => this.changed(payload), { queue: 'contacts' }),
      this.bus.onStatus((connected) => connected && this.missed.makeUp()),
    ];
    await this.gateways.start();
    this.missed.makeUp();
  }

  onApplicationShutdown(): void {
    for (const subscription of this.subscriptions) subscription.unsubscribe();
    this.gateways.stop();
    for (const { timer } of this.settling.values()) clearTimeout(timer);
    this.settling.clear();
  }

  /** Whether each is online, as a list says it. Of whom that may not be so, it is found out and told. */
  async seen(listed: readonly Listed[]): Promise<boolean[]> {
    const { online, doubtful } = await this.audience.seen(listed);
    for (const account of doubtful) this.settleLater(account);
    return online;
  }

  /**
   * These are about to lose the contact without being told: all that shows is an account that leaves, told when it would be told of one that
   * leaves now, or of one that left and is not yet told of. One that was not shown as online has nothing to leave.
   */
  async seemToLeave(account: string, lostBy: readonly string[]): Promise<void> {
    const at = this.settling.get(account)?.at ?? Date.now() + this.config.PRESENCE_DAMPING_MS;
    const keeping = this.audience.keepFor(account, lostBy, at - Date.now());
    const isKept = await this.missed.watch(keeping).catch((error: unknown) => this.untold(error));
    if (isKept !== true) return;
    const absence = this.settleLater(account);
    for (const peer of lostBy) absence.lostBy.add(peer);
  }

  private changed(payload: Uint8Array): void {
    const { account, online, invisible } = fromBinary(DeviceChangedSchema, payload);
    if (online && !invisible) this.run(this.cameOnline(toHex(account)));
    else this.settleLater(toHex(account));
  }

  private async cameOnline(account: string): Promise<void> {
    if (!(await this.audience.tellOnline(account))) this.settleLater(account);
  }

  /** Whoever is back within the damping was never away. */
  private settleLater(account: string): Absence {
    const running = this.settling.get(account);
    if (running !== undefined) return running;
    const lostBy = new Set<string>();
    const settle = () => {
      this.settling.delete(account);
      this.run(this.audience.settle(account, lostBy));
    };
    const wait = this.config.PRESENCE_DAMPING_MS;
    const absence = { timer: setTimeout(settle, wait), at: Date.now() + wait, lostBy };
    this.settling.set(account, absence);
    return absence;
  }

  private async clearGateway(incarnation: number): Promise<void> {
    const left = await this.routes.takeDevicesOf(incarnation, this.config.RELAY_RETRY_WINDOW * 1_000);
    for (const { account } of left) this.settleLater(account);
  }

  private run(work: Promise<void>): void {
    this.missed.watch(work).catch((error: unknown) => this.untold(error));
  }

  /** Presence is a hint, and holds nothing up: what fails here is read right at the next List, which is asked for. */
  private untold(error: unknown): void {
    this.logger.warn(`presence not told: ${error instanceof Error ? error.name : 'unknown'}`);
  }
}
