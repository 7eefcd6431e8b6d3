import type { LeafId } from '@sotto/mls';
import { fromHex } from '@sotto/protocol';
import { type DeliveryStatus, idsIn, type OutboxEntry } from '../outbox/outbox-entry.js';
import type { Recipient, Step } from './group-ports.js';

/** What the user wrote, kept until everyone has it whom it was sealed for. */
export interface Content {
  /** Absent while there is no conversation to write it in. */
  readonly group?: string | undefined;
  /** Of a message that waits for a conversation: whose. */
  readonly account?: string | undefined;
  readonly plaintext: Uint8Array;
  /** Unix milliseconds. */
  readonly at: number;
  /** Accounts of which no device has it yet; undefined: it is not sealed yet. */
  readonly owed?: Set<string> | undefined;
}

/** As stored: the accounts' ids one after the other. */
export type ContentRecord = Omit<Content, 'owed'> & { readonly owed?: Uint8Array | undefined };

/** The plaintexts of the outbox, and which messages of others have been shown. */
export class Contents {
  readonly #contents: Map<string, Content>;
  /** Outbox entries of each content. */
  readonly #entries = new Map<string, Set<string>>();
  readonly #dirty = new Set<string>();
  readonly #status = new Map<string, DeliveryStatus>();
  /** How often each was sealed again, by device and leaf. Not kept over a restart: the count begins anew. */
  readonly #tries = new Map<string, Map<string, number>>();

  constructor(
    contents: Iterable<readonly [string, ContentRecord]>,
    private readonly seen: Set<string>,
    private readonly ownAccount: string,
  ) {
    this.#contents = new Map([...contents].map(([id, { owed, ...rest }]) => [id, { ...rest, owed: owed && new Set(idsIn(owed)) }]));
    // Told before the start; kept for the account's other devices.
    for (const [id, { owed }] of this.#contents) if (owed?.size === 0) this.#status.set(id, 'delivered');
  }

  get(id: string): Content | undefined {
    return this.#contents.get(id);
  }

  all(): Iterable<[string, Content]> {
    return this.#contents;
  }

  put(id: string, content: Content, step: Step): void {
    this.#contents.set(id, content);
    this.#changed(id, step);
  }

  forget(id: string, step: Step): void {
    if (!this.#contents.delete(id)) return;
    this.#entries.delete(id);
    this.#status.delete(id);
    this.#tries.delete(id);
    step.journal.remove('contents', id);
  }

  /** Written once at the end of the step, however many receipts it holds. */
  #changed(id: string, { journal }: Step): void {
    this.#dirty.add(id);
    journal.lastly(this, () => {
      for (const each of this.#dirty) {
        const content = this.#contents.get(each);
        if (content !== undefined) journal.put('contents', each, recordOf(content));
      }
      this.#dirty.clear();
    });
  }

  /** False when the message was shown before. By sender and content alone: in a new group of the same two it is the same message. */
  see(device: string, content: string, step: Step): boolean {
    const key = `${device}/${content}`;
    if (this.seen.has(key)) return false;
    this.seen.add(key);
    step.journal.put('seen', key, step.now);
    return true;
  }

  // --- sealings

  entriesOf(content: string): ReadonlySet<string> {
    return this.#entries.get(content) ?? new Set();
  }

  /** After a start: the outbox names its content. */
  restore(content: string, entry: string): void {
    const entries = this.#entries.get(content);
    if (entries === undefined) this.#entries.set(content, new Set([entry]));
    else entries.add(entry);
  }

  dispatched(content: string, entry: string, to: readonly Recipient[], step: Step): void {
    this.restore(content, entry);
    const before = this.#contents.get(content)!;
    if (before.owed !== undefined) return;
    const owed = new Set(to.map(({ account }) => account));
    owed.delete(this.ownAccount);
    this.put(content, { ...before, owed }, step);
  }

  /** One of the account's devices has it, or the account is gone without ever having come: it is owed this no more. */
  delivered(content: string, account: string, step: Step): void {
    const before = this.#contents.get(content);
    if (before?.owed?.delete(account) === true) this.#changed(content, step);
  }

  /** No device of this account, which is another's, has it yet. */
  isOwed(content: string, account: string): boolean {
    return this.#contents.get(content)?.owed?.has(account) === true;
  }

  settled(content: string, entry: string): void {
    this.#entries.get(content)?.delete(entry);
  }

  tried(content: string, to: Recipient, tries: number): void {
    const ofContent = this.#tries.get(content) ?? new Map<string, number>();
    this.#tries.set(content, ofContent.set(`${to.device}/${to.leaf}`, tries));
  }

  triesFor(content: string, device: string, leaf: LeafId): number {
    return this.#tries.get(content)?.get(`${device}/${leaf}`) ?? 0;
  }

  // --- what the user is told

  statusOf(content: string, entryOf: (id: string) => OutboxEntry | undefined): DeliveryStatus {
    const owed = this.#contents.get(content)?.owed;
    if (owed?.size === 0) return 'delivered';
    let status: DeliveryStatus = 'queued';
    let waiting = true;
    for (const id of this.entriesOf(content)) {
      for (const recipient of entryOf(id)?.recipients.values() ?? []) {
        if (recipient.account === this.ownAccount) continue;
        if (recipient.status === 'accepted') return 'accepted';
        if (recipient.status === 'waiting-for-online') status = 'waiting-for-online';
        else if (recipient.status === 'sent' || recipient.status === 'queued') waiting = false;
      }
    }
    return waiting ? status : 'queued';
  }

  /** The status, if it is another than when this was asked last. */
  changedStatus(content: string, entryOf: (id: string) => OutboxEntry | undefined): DeliveryStatus | undefined {
    const status = this.statusOf(content, entryOf);
    if (this.#status.get(content) === status) return undefined;
    this.#status.set(content, status);
    return status;
  }
}

export function recordOf({ owed, ...rest }: Content): ContentRecord {
  return { ...rest, owed: owed && fromHex([...owed].join('')) };
}
