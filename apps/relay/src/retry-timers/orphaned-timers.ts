import type { DeviceRoute, DeviceRouteStore, LeaseStore } from '@sotto/platform/live-state';
import type { RetryTimer, RetryTimerStore } from './retry-timer.store.js';

/** How long after its deadline a timer counts as left behind by its owner. Milliseconds. */
export const ORPHANED_AFTER_MS = 3_000;
const AT_ONCE = 500;

/** Finds the senders of messages whose relay died with them. */
export class OrphanedTimers {
  constructor(
    private readonly timers: Pick<RetryTimerStore, 'takeDue'>,
    private readonly routes: Pick<DeviceRouteStore, 'find'>,
    private readonly leases: Pick<LeaseStore, 'alive'>,
    private readonly tell: (sender: DeviceRoute, timer: RetryTimer) => void,
  ) {}

  /** Tells the sender of each where it is connected. Rejects while live state is away; what was not taken then is left for the next time. */
  async report(now: number): Promise<void> {
    const alive = await this.leases.alive('relay');
    for (let taken = AT_ONCE; taken === AT_ONCE;) {
      const due = await this.timers.takeDue(now - ORPHANED_AFTER_MS, AT_ONCE, alive);
      taken = due.length;
      await this.tellSenders(due);
    }
  }

  private async tellSenders(due: RetryTimer[]): Promise<void> {
    const senders = [...new Set(due.map(({ sender }) => sender))];
    const found = await Promise.all(senders.map(async (sender) => [sender, await this.routes.find(sender)] as const));
    const routes = new Map(found);
    for (const timer of due) {
      const route = routes.get(timer.sender);
      if (route !== undefined && route.gateway !== 0) this.tell(route, timer);
    }
  }
}
