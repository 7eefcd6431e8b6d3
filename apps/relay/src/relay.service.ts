import { fromBinary } from '@bufbuild/protobuf';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BatchPublisher } from '@sotto/platform/batches';
import { BUS, type Bus, type Subscription } from '@sotto/platform/bus';
import { gatewayOutSubject, LeaseHolder, LeaseWatch, relayInSubject } from '@sotto/platform/leases';
import { DEVICE_ROUTE_STORE, type DeviceRoute, type DeviceRouteStore, LEASE_STORE, type LeaseStore } from '@sotto/platform/live-state';
import { fromHex, ReceiptStatus, toHex } from '@sotto/protocol';
import { encodeGatewayOutput, encodeReceipt, encodeSharedDelivery } from '@sotto/protocol/frames';
import { DeviceChangedSchema } from '@sotto/protocol/internal';
import { steadyNow } from '@sotto/platform/clock';
import sodium from 'libsodium-wrappers';
import { CommitSlots } from './commit-slots/commit-slots.service.js';
import { RelayEngine } from './in-flight/relay-engine.js';
import { RELAY_CONFIG, type RelayConfig } from './relay.config.js';
import { ORPHANED_AFTER_MS, OrphanedTimers } from './retry-timers/orphaned-timers.js';
import { RETRY_TIMER_STORE, type RetryTimer, type RetryTimerStore } from './retry-timers/retry-timer.store.js';

const TICK_MS = 50;
const DRAIN_MS = 2_000;

/** Ties the engine to bus, live state and clock. */
@Injectable()
export class RelayService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger(RelayService.name);
  private lease!: LeaseHolder;
  private gateways!: LeaseWatch;
  private engine!: RelayEngine;
  private output!: BatchPublisher;
  private readonly subscriptions: Subscription[] = [];
  private readonly timers: NodeJS.Timeout[] = [];

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(DEVICE_ROUTE_STORE) private readonly routes: DeviceRouteStore,
    @Inject(LEASE_STORE) private readonly leases: LeaseStore,
    @Inject(RETRY_TIMER_STORE) private readonly retryTimers: RetryTimerStore,
    @Inject(RELAY_CONFIG) private readonly config: RelayConfig,
    private readonly commitSlots: CommitSlots,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await sodium.ready;
    this.lease = await LeaseHolder.claim(this.leases, 'relay', {
      onWiped: () => this.engine.forgetRoutes(),
      // Cut off from the bus it can neither take nor deliver: gateways are to turn to another, and to tell its senders.
      mayRenew: () => this.bus.connected,
    });
    const { incarnation } = this.lease;
    this.output = new BatchPublisher(this.bus, incarnation, gatewayOutSubject);
    this.gateways = new LeaseWatch(this.leases, 'gateway', { gone: (gateway) => this.engine.gatewayGone(gateway) });
    this.engine = new RelayEngine(incarnation, this.config, {
      output: (gateway, connection, frame) => this.output.add(gateway, encodeGatewayOutput(connection, frame)),
      deliver: (gateway, payload, recipients) => this.output.add(gateway, encodeSharedDelivery(payload, recipients)),
      loadRoute: (device) => this.routes.find(toHex(device)),
      claimSlot: (account, slot, commitId) => this.commitSlots.claim(account, slot, commitId),
      gatewayAlive: (gateway) => this.gateways.has(gateway),
      addTimers: (timers) => this.keepTimers(this.retryTimers.add(timers.map(byTheWallClock))),
      removeTimers: (timers) => this.keepTimers(this.retryTimers.remove(timers)),
      now: steadyNow,
    });
    await this.gateways.start();
    this.subscribe(incarnation);
    this.timers.push(setInterval(() => this.engine.tick(), TICK_MS));
    const orphans = new OrphanedTimers(this.retryTimers, this.routes, this.leases, (sender, timer) => this.tellUndelivered(sender, timer));
    this.timers.push(setInterval(() => void orphans.report(Date.now()).catch(() => undefined), ORPHANED_AFTER_MS));
  }

  /** Gives the lease back, so that gateways turn to other relays; ends what is on its way, then lets go of the rest: senders send it again. */
  async onApplicationShutdown(): Promise<void> {
    await this.lease.release();
    const leave = Date.now() + this.config.leaveMs;
    const until = Math.max(leave, Date.now() + DRAIN_MS);
    while (Date.now() < (this.engine.inFlight > 0 ? until : leave)) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    for (const timer of this.timers) clearInterval(timer);
    for (const subscription of this.subscriptions) subscription.unsubscribe();
    this.gateways.stop();
    this.engine.tick();
    this.output.flush();
  }

  private subscribe(incarnation: number): void {
    this.subscriptions.push(
      this.bus.subscribe(relayInSubject(incarnation), (batch) => this.engine.onBatch(batch)),
      this.bus.subscribe('device.changed', (payload) => this.onDeviceChanged(payload)),
      // What was published while the broker was away is lost without an error.
      this.bus.onStatus((connected) => connected && this.engine.forgetRoutes()),
    );
  }

  private onDeviceChanged(payload: Uint8Array): void {
    const { device, online, gateway } = fromBinary(DeviceChangedSchema, payload);
    if (online) this.gateways.seen(gateway);
    this.engine.deviceChanged(device, online);
  }

  /** The timers are a second line behind the senders' own; without them nothing is lost. */
  private keepTimers(work: Promise<void>): void {
    work.catch(() => this.log.warn('retry timers could not be kept: live state is away'));
  }

  private tellUndelivered(sender: DeviceRoute, timer: RetryTimer): void {
    const receipt = encodeReceipt(fromHex(timer.id), fromHex(timer.device), ReceiptStatus.UNDELIVERED);
    this.output.add(sender.gateway, encodeGatewayOutput(sender.connection, receipt));
  }
}

/** Another relay may have to tell of it, and goes by the time of day. */
function byTheWallClock(timer: RetryTimer): RetryTimer {
  return { ...timer, deadline: Math.round(timer.deadline + Date.now() - steadyNow()) };
}
