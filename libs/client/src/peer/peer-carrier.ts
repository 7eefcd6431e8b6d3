import { type Outcome, ReceiptStatus } from '@sotto/protocol';
import type { Carrier } from '../messaging/carrier.js';
import { stepOf } from '../messaging/messaging.js';
import type { Claimed, OutgoingSend } from '../messaging/messenger-ports.js';
import type { PeerDevice } from './peer-device.js';
import type { PeerLink } from './peer-link.js';

/** Over links to the peers themselves. Nobody holds anything for who is away: that is told at once, and the outbox waits for them. */
export class PeerCarrier implements Carrier {
  readonly directOnly = true;
  /** One of each account. */
  readonly #links = new Map<string, PeerLink>();

  constructor(private readonly device: PeerDevice) {}

  linkOf(account: string): PeerLink | undefined {
    return this.#links.get(account);
  }

  links(): PeerLink[] {
    return [...this.#links.values()];
  }

  /** Returns the one that it replaces. */
  add(link: PeerLink): PeerLink | undefined {
    const before = this.#links.get(link.peer.account);
    this.#links.set(link.peer.account, link);
    return before;
  }

  /** False: a newer one took its place. */
  remove(link: PeerLink): boolean {
    return this.#links.get(link.peer.account) === link && this.#links.delete(link.peer.account);
  }

  /** What was on its way over a link that has ended. */
  returnOpen(link: PeerLink): void {
    for (const { id, isCommit } of link.takeOpen()) this.#away(id, link.peer.device, isCommit);
  }

  send(send: OutgoingSend): void {
    for (const recipient of send.recipients) {
      const link = this.links().find(({ peer }) => peer.device === recipient.device);
      if (link !== undefined) link.send({ ...send, recipients: [recipient] });
      else if (send.held) this.#away(send.id, recipient.device, send.slot !== undefined);
    }
  }

  ack(handle: bigint, outcome: Outcome): void {
    this.links().some((link) => link.ack(handle, outcome));
  }

  async claim(account: string): Promise<Claimed | undefined> {
    // Of one's own account there is no other device.
    if (account === this.device.session?.account) return [];
    return this.#links.get(account)?.claim();
  }

  /** Peers deliver to this device alone, and look at no tokens. */
  withdrawn(): void {}

  topUp(): void {
    // None is published: each peer is given one when it asks.
  }

  /** A commit is not taken for entered before the other end has it: so the two fork only when theirs cross. */
  #away(id: string, device: string, isCommit: boolean): void {
    const status = isCommit ? ReceiptStatus.REFUSED : ReceiptStatus.UNDELIVERED;
    const receipt = { id, device, status, relay: 0, retryAfterMs: 0, final: false, commit: '' };
    const step = this.device.step(async (journal) => this.device.messenger?.receipt(receipt, stepOf(journal)));
    void step.catch((error: unknown) => this.device.failed(error));
  }
}
