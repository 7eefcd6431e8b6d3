import type { LeaseKind, LeaseStore } from '../live-state/lease.store.js';

/** A wiped live state gets its leases back within a renewal (1 s): only what stays away longer is gone. */
const GONE_AFTER_MS = 1_500;

/** Knows which incarnations of a kind are alive, by asking live state once a second. While live state is away the last answer stands. */
export class LeaseWatch {
  /** Incarnation → when it was first missed, 0 while it is there. */
  private readonly known = new Map<number, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: LeaseStore,
    private readonly kind: LeaseKind,
    private readonly listener: { appeared?(incarnation: number): void; gone?(incarnation: number): void },
  ) {}

  async start(): Promise<void> {
    await this.poll().catch(() => undefined);
    this.timer = setInterval(() => void this.poll().catch(() => undefined), 1_000);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  has(incarnation: number): boolean {
    return this.known.has(incarnation);
  }

  get alive(): number[] {
    return [...this.known.keys()];
  }

  /** Somebody showed signs of life before the next poll would tell. */
  seen(incarnation: number): void {
    if (this.known.has(incarnation)) return;
    this.known.set(incarnation, 0);
    this.listener.appeared?.(incarnation);
  }

  async poll(): Promise<void> {
    const alive = new Set(await this.store.alive(this.kind));
    const now = Date.now();
    for (const [incarnation, missedSince] of this.known) {
      if (alive.has(incarnation)) this.known.set(incarnation, 0);
      else if (missedSince === 0) this.known.set(incarnation, now);
      else if (now - missedSince >= GONE_AFTER_MS) {
        this.known.delete(incarnation);
        this.listener.gone?.(incarnation);
      }
    }
    for (const incarnation of alive) this.seen(incarnation);
  }
}
