import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { BUS } from '@sotto/platform/bus';
import type { Bus } from '@sotto/platform/bus';
import { steadyNow } from '@sotto/platform/clock';
import { DATABASE } from '@sotto/platform/database';
import type { Database } from '@sotto/platform/database';
import { LIVE_STATE, pingLiveState } from '@sotto/platform/live-state';
import type { LiveState } from '@sotto/platform/live-state';

const LOOK_MS = 1_000;
/** All who are connected read their lists: what goes on failing although everything is there must not have them do so all the time. */
const LEAST_APART_MS = 10_000;

/** What could not be told, devices find in their lists (docs/decisions/presence-as-told.md). */
@Injectable()
export class MissedEvents implements OnApplicationShutdown {
  private look: NodeJS.Timeout | undefined;
  /** By `steadyNow`. */
  private lastMadeUp = -Infinity;

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(LIVE_STATE) private readonly liveState: LiveState,
    @Inject(DATABASE) private readonly database: Database,
  ) {}

  onApplicationShutdown(): void {
    clearTimeout(this.look);
  }

  /** Settles as the telling does. If that fails, it is made up for once live state and database are there. */
  async watch<T>(telling: Promise<T>): Promise<T> {
    try {
      return await telling;
    } catch (error) {
      this.lookLater();
      throw error;
    }
  }

  /** Gateways have devices read their lists again: what happened until now may not have been heard here, or what was told of it not there. */
  makeUp(): void {
    this.bus.publish('contacts.resumed', new Uint8Array());
  }

  private lookLater(): void {
    const wait = Math.max(LOOK_MS, this.lastMadeUp + LEAST_APART_MS - steadyNow());
    this.look ??= setTimeout(() => void this.makeUpWhenThere(), wait).unref();
  }

  private async makeUpWhenThere(): Promise<void> {
    try {
      await Promise.all([pingLiveState(this.liveState), this.database.ping()]);
      this.lastMadeUp = steadyNow();
      this.makeUp();
      this.look = undefined;
    } catch {
      this.look = undefined;
      this.lookLater();
    }
  }
}
