import type { LeafId } from '@sotto/mls';
import type { DeliveryStatus, OutboxEntry } from '../outbox/outbox-entry.js';
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
  readonly owed?: readonly string[] | undefined;
}

/** The plaintexts of the outbox, and which messages of others have been shown. */
export class Contents {
  readonly #contents: Map<string, Content>;
  /** Outbox entries of each content. */
  readonly #entries = new Map<string, Set<string>>();
  readonly #status = new Map<string, DeliveryStatus>();
  /** How often each was sealed again, by device and leaf. Not kept over a restart: the count begins anew. */
  readonly #tries = new Map<string, number>();

  constructor(
    contents: Iterable<readonly [string, Content]>,
    private readonly seen: Set<string>,
    private readonly ownAccount: string,
  ) {
    this.#contents = new Map(contents);
  }

  get(id: string): Content | undefined {
    return this.#contents.get(id);
  }

  all(): Iterable<[string, Content]> {
    return this.#contents;
  }

  put(id: string, content: Content, step: Step): void {
    this.#contents.set(id, content);
    step.journal.put('contents', id, content);
  }

  forget(id: string, step: Step): void {
    if (!this.#contents.delete(id)) return;
    this.#entries.delete(id);
    this.#status.delete(id);
    step.journal.remove('contents', id);
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
    const owed = [...new Set(to.map(({ account }) => account))].filter((account) => account !== this.ownAccount);
    this.put(content, { ...before, owed }, step);
  }

  delivered(content: string, account: string, step: Step): void {
    const before = this.#contents.get(content);
    if (before?.owed?.includes(account) !== true) return;
    this.put(content, { ...before, owed: before.owed.filter((each) => each !== account) }, step);
  }

  settled(content: string, entry: string): void {
    this.#entries.get(content)?.delete(entry);
  }

  tried(content: string, to: Recipient, tries: number): void {
    this.#tries.set(`${content}/${to.device}/${to.leaf}`, tries);
  }

  triesFor(content: string, device: string, leaf: LeafId): number {
    return this.#tries.get(`${content}/${device}/${leaf}`) ?? 0;
  }

  // --- what the user is told

  statusOf(content: string, entryOf: (id: string) => OutboxEntry | undefined): DeliveryStatus {
    const owed = this.#contents.get(content)?.owed;
    if (owed?.length === 0) return 'delivered';
    const open = [...this.entriesOf(content)].flatMap((id) => [...(entryOf(id)?.recipients.values() ?? [])]);
    const statuses = new Set(open.filter(({ account }) => account !== this.ownAccount).map(({ status }) => status));
    if (statuses.has('accepted')) return 'accepted';
    return statuses.has('waiting-for-online') && !statuses.has('sent') && !statuses.has('queued') ? 'waiting-for-online' : 'queued';
  }

  /** The status, if it is another than when this was asked last. */
  changedStatus(content: string, entryOf: (id: string) => OutboxEntry | undefined): DeliveryStatus | undefined {
    const status = this.statusOf(content, entryOf);
    if (this.#status.get(content) === status) return undefined;
    this.#status.set(content, status);
    return status;
  }
}
