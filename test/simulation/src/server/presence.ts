import type { Random } from '../random.js';
import type { Schedule } from '../schedule.js';

const ONLINE_WITHIN_MS = 500;
const OFFLINE_AFTER_MS = 3_000;

/** Which accounts are online: while one of their devices is, and a little longer; those who are invisible never. */
export class Presence {
  readonly #devices = new Map<string, Set<string>>();
  readonly #shown = new Set<string>();

  constructor(
    private readonly schedule: Schedule,
    private readonly random: Random,
    private readonly tell: (account: string, online: boolean) => void,
    private readonly invisible: ReadonlySet<string>,
  ) {}

  isOnline(account: string): boolean {
    return this.#shown.has(account);
  }

  attach(account: string, device: string): void {
    const devices = this.#devices.get(account) ?? new Set();
    this.#devices.set(account, devices.add(device));
    this.schedule.after(this.random.whole(0, ONLINE_WITHIN_MS), () => this.#settle(account));
  }

  detach(account: string, device: string): void {
    this.#devices.get(account)?.delete(device);
    this.schedule.after(OFFLINE_AFTER_MS, () => this.#settle(account));
  }

  #settle(account: string): void {
    const online = (this.#devices.get(account)?.size ?? 0) > 0 && !this.invisible.has(account);
    if (online === this.#shown.has(account)) return;
    if (online) this.#shown.add(account);
    else this.#shown.delete(account);
    this.tell(account, online);
  }
}
