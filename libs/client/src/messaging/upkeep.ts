import { encodeContent } from '../content/content.js';
import { contentIdOf, messageRef } from '../content/message-ref.js';
import type { DeviceCore } from '../device-core.js';
import type { Step } from '../groups/group-ports.js';
import { moveFormerMessages } from '../history/former-messages.js';
import { randomBytes } from '../sodium.js';
import type { Arrivals } from './arrivals.js';
import type { Messaging } from './messaging.js';
import { checkSettings, keepSettings, type Settings } from './settings.js';

const DAY_MS = 86_400_000;
const CLEAR_EVERY_MS = 3_600_000;
/** What is read in the meantime is told together. */
const RECEIPT_EVERY_MS = 3_000;
/** Of one receipt. */
const MOST_REPORTED = 100;
/** Members, beyond whom reading is told to nobody: each would be told of each. */
const MOST_TOLD = 20;

/** What time brings about in conversations: messages expire or grow too old, and receipts are due. */
export class Upkeep {
  #clearAt = 0;
  #receiptAt = 0;
  #busy = false;

  constructor(
    private readonly device: DeviceCore,
    private readonly messaging: Messaging,
    private readonly arrivals: Arrivals,
  ) {}

  /** At the start: what has expired is gone before anybody looks, and what a former version did not know is read again. */
  async start(): Promise<void> {
    const { history, options } = this.device;
    await this.messaging.localStep(async (step) => {
      await moveFormerMessages(options.store, history, (name) => this.#accountOf(name), step.journal);
      await this.#expire(step);
      for (const placed of await history.unknown()) await this.arrivals.understand(placed, step);
    });
  }

  #accountOf(name: string): string {
    const { session, contacts } = this.device;
    return name === session?.name ? session.account : (contacts.get(name)?.account ?? '');
  }

  tick(now: number): void {
    if (this.#busy || this.device.closed) return;
    this.#busy = true;
    void this.#work(now)
      .catch((error: unknown) => this.device.failed(error))
      .finally(() => (this.#busy = false));
  }

  /** Throws ClientError `not-allowed`. */
  async change(change: Partial<Settings>): Promise<void> {
    const settings = { ...this.device.settings, ...change };
    checkSettings(settings);
    await this.messaging.localStep(async (step) => {
      this.device.settings = settings;
      keepSettings(settings, step.journal);
    });
    this.#clearAt = 0;
    if ('retentionDays' in change) await this.#clear(Date.now());
  }

  async #work(now: number): Promise<void> {
    if (this.device.history.hasExpired(now)) await this.messaging.localStep((step) => this.#expire(step));
    if (this.device.messenger !== undefined && now >= this.#receiptAt && this.device.history.unreported().length > 0) {
      this.#receiptAt = now + RECEIPT_EVERY_MS;
      await this.messaging.step(async (_, step) => this.#sendReceipts(step));
    }
    if (now >= this.#clearAt) await this.#clear(now);
  }

  async #expire(step: Step): Promise<void> {
    const gone = await this.device.history.takeExpired(step.now, step.journal);
    for (const message of gone) {
      this.messaging.giveUp(message.ref, step);
      this.arrivals.tellChanged({ ...message, text: '', unknown: undefined }, { what: 'expired' }, step);
    }
  }

  /** In steps of some hundred messages, so that others come between. */
  async #clear(now: number): Promise<void> {
    this.#clearAt = now + CLEAR_EVERY_MS;
    await this.messaging.localStep(async ({ journal }) => this.device.history.sweepPending(now, journal));
    const { retentionDays } = this.device.settings;
    if (retentionDays === undefined) return;
    const cutoff = now - retentionDays * DAY_MS;
    while (await this.messaging.localStep(({ journal }) => this.device.history.clearBefore(cutoff, journal)));
  }

  async #sendReceipts(step: Step): Promise<void> {
    const { history } = this.device;
    for (const conversation of history.unreported()) {
      const read = await history.takeUnreported(conversation, MOST_REPORTED, step.journal);
      const { account } = this.device.signedIn().session;
      const refs = read.filter(({ author }) => author.account !== account).map(({ ref }) => ref);
      const told = this.messaging.accountsIn(conversation);
      if (refs.length === 0 || told === undefined || told > MOST_TOLD || !this.device.settings.readReceipts) continue;
      const plaintext = encodeContent({ kind: 'receipt', read: refs }, { sentAt: step.now }, randomBytes(16));
      await this.messaging.compose(conversation, plaintext, contentIdOf(messageRef(account, plaintext)), step);
    }
  }
}
