import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { ready } from '@sotto/channel';
import { whyNotListening } from '@sotto/platform/health';
import { errorName } from '@sotto/platform/logging';
import { LeaseHolder } from '@sotto/platform/leases';
import { LEASE_STORE, type LeaseStore } from '@sotto/platform/live-state';
import { ConnectionTable } from './connections/connection-table.js';
import { Door } from './connections/door.js';
import { RelayLinks } from './relays/relay-links.js';
import { eventFrame } from './sessions/event-frame.js';
import { SessionService } from './sessions/session.service.js';
import { SessionWatch } from './sessions/session-watch.js';
import { spreadOver } from './sessions/spread.js';

const DRAIN_MS = 300;
const AGAIN_MS = 500;

/** Starts and stops the gateway's parts in their order. */
@Injectable()
export class GatewayService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger(GatewayService.name);
  private lease: LeaseHolder | undefined;
  /** Where the door listens; 0 before. */
  port = 0;

  constructor(
    @Inject(LEASE_STORE) private readonly leases: LeaseStore,
    private readonly relays: RelayLinks,
    private readonly sessions: SessionService,
    private readonly watch: SessionWatch,
    private readonly table: ConnectionTable,
    private readonly door: Door,
  ) {}

  /** Does not hold up the start of the other modules in the process: auth, which certifies this gateway, may be among them. */
  onApplicationBootstrap(): void {
    this.opened.catch((error: unknown) => {
      this.log.error(`the gateway can't open: ${whyNotOpened(error)}`);
      // A gateway without a door serves nobody.
      this.door.onNotOpened?.();
    });
  }

  /** Resolves with the port once connections are taken. */
  get opened(): Promise<number> {
    return (this.opening ??= this.open());
  }

  private opening: Promise<number> | undefined;

  /** From when connections are taken until it drains. */
  get isOpen(): boolean {
    return this.door.isOpen;
  }

  private async open(): Promise<number> {
    await ready();
    this.lease = await LeaseHolder.claim(this.leases, 'gateway', { onWiped: () => void this.afterWipe() });
    const { incarnation } = this.lease;
    this.sessions.start(incarnation);
    this.watch.start(incarnation);
    await this.relays.start(incarnation);
    this.port = await this.door.open();
    this.log.log(`listening on port ${this.port}`);
    return this.port;
  }

  /** Live state was wiped, or may have been: routes come back from here, key packages from the devices. */
  private async afterWipe(): Promise<void> {
    // A renewed lease tells of the wipe once only: what could not be put back is tried until it is there.
    for (let onceMore = false; this.lease !== undefined; onceMore = true) {
      try {
        return await this.sessions.registerAgain(onceMore);
      } catch {
        this.log.warn('live state is away');
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  async onApplicationShutdown(): Promise<void> {
    this.door.shut();
    const withinMs = spreadOver(this.table.size);
    for (const connection of this.table.values()) {
      if (connection.channel !== undefined) this.table.write(connection, eventFrame({ kind: { case: 'goingAway', value: { withinMs } } }));
    }
    await new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
    await this.door.closeAll();
    this.watch.stop();
    this.sessions.stop();
    this.relays.stop();
    await this.lease?.release();
    this.lease = undefined;
  }
}

function whyNotOpened(error: unknown): string {
  const why = whyNotListening(error);
  if (why === undefined) return errorName(error);
  const isPort = ['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '');
  return `${isPort ? 'GATEWAY_PORT' : 'GATEWAY_HOST'} ${why}`;
}
