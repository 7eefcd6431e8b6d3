import type { Frame } from '@sotto/protocol';
import { ErrorCode, Remedy, remedyOf } from '@sotto/protocol';
import { ClientError, type ClientErrorReason, ServerError } from '../client-error.js';
import { backoffMs } from './backoff.js';
import type { Link } from './link.js';

export type ConnectionState =
  | { readonly state: 'connecting' }
  | { readonly state: 'online' }
  /** Milliseconds until the next try. */
  | { readonly state: 'offline'; readonly retryInMs: number; readonly cause: string }
  /** No further try: the user must log in again or, after `pin-changed`, look at the server's identity. `reason`: when not the server refused. */
  | { readonly state: 'refused'; readonly cause: string; readonly reason?: ClientErrorReason | undefined }
  | { readonly state: 'closed' };

export interface ConnectionOptions {
  /** It may take long, as users are asked: whether what it leads to is still wanted. */
  readonly open: (isWanted: () => boolean) => Promise<Link>;
  /** Makes a fresh link the device's: Resume and Attach. */
  readonly attach: (link: Link) => Promise<void>;
  readonly onFrames: (frames: Frame[]) => void;
  readonly onState: (state: ConnectionState) => void;
}

/** Keeps one attached link, and makes a new one when it ends. */
export class Connection {
  #link: Link | undefined;
  #failures = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  /** Wait before the next try, when the server asked for one. Milliseconds. */
  #askedWait = 0;
  #generation = 0;
  /** The generation of the newest try; it has ended unless it is the present one. */
  #trying = 0;

  constructor(private readonly options: ConnectionOptions) {}

  /** The attached link, or undefined while there is none. */
  get link(): Link | undefined {
    return this.#link;
  }

  openLink(): Promise<Link> {
    return this.options.open(() => !this.#closed);
  }

  /** Uses a link that is attached already (log-in, registration). */
  adopt(link: Link): void {
    clearTimeout(this.#retry);
    this.#generation++;
    const before = this.#link;
    this.#link = link;
    before?.close(new ClientError('closed', 'replaced by a newer connection'));
    this.#failures = 0;
    this.options.onState({ state: 'online' });
    link.listen({
      onFrames: this.options.onFrames,
      onClosed: (error) => this.#lost(link, error),
    });
  }

  /** Starts to connect and keeps at it. Resolves after the first try, whatever came of it. */
  async connect(): Promise<void> {
    if (this.#closed) return;
    clearTimeout(this.#retry);
    const generation = (this.#trying = ++this.#generation);
    const isWanted = () => !this.#closed && generation === this.#generation;
    this.options.onState({ state: 'connecting' });
    let link: Link | undefined;
    try {
      link = await this.options.open(isWanted);
      if (isWanted()) await this.options.attach(link);
      if (!isWanted()) return link.close(new ClientError('closed', 'closed meanwhile'));
      this.adopt(link);
    } catch (error) {
      link?.close(new ClientError('offline', 'not attached'));
      if (generation === this.#generation) this.#failed(error);
    }
  }

  /** The server goes away or asks to come back later: at most `withinMs`. */
  goAway(withinMs: number): void {
    this.#askedWait = Math.random() * withinMs;
    this.#link?.close(new ClientError('offline', 'the server is going away'));
  }

  refuse(cause: string): void {
    const link = this.#link;
    this.#link = undefined;
    clearTimeout(this.#retry);
    this.#generation++;
    link?.close(new ClientError('closed', cause));
    this.options.onState({ state: 'refused', cause });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    const link = this.#link;
    this.#link = undefined;
    link?.close(new ClientError('closed', 'closed by the program'));
    this.options.onState({ state: 'closed' });
  }

  #lost(link: Link, error: ClientError): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    // A try that is under way replaces it, or says why not.
    if (!this.#closed && this.#trying !== this.#generation) this.#retryLater(error);
  }

  #failed(error: unknown): void {
    if (this.#closed) return;
    // A connection that should have been replaced has another standing than the device.
    const before = this.#link;
    this.#link = undefined;
    before?.close(new ClientError('offline', 'replaced by none'));
    const reason = error instanceof ClientError ? error.reason : undefined;
    if (isFinal(error)) this.options.onState({ state: 'refused', cause: messageOf(error), ...(reason !== undefined && { reason }) });
    else this.#retryLater(error);
  }

  #retryLater(error: unknown): void {
    const asked = error instanceof ServerError ? error.retryAfterMs : this.#askedWait;
    this.#askedWait = 0;
    const retryInMs = Math.ceil(asked + backoffMs(this.#failures++));
    this.options.onState({ state: 'offline', retryInMs, cause: messageOf(error) });
    this.#retry = setTimeout(() => void this.connect(), retryInMs);
  }
}

const FINAL: readonly ClientErrorReason[] = [
  'pin-changed',
  'pin-refused',
  'not-logged-in',
  'storage-failed',
  'not-a-peer',
  'peer-unproven',
  'not-admitted',
];

function isFinal(error: unknown): boolean {
  // UNAUTHENTICATED: the session ended between Resume and Attach; the next Resume tells whether the device may come back.
  const passing = [ErrorCode.UNSPECIFIED, ErrorCode.UNAUTHENTICATED];
  if (error instanceof ServerError) return !passing.includes(error.code) && remedyOf(error.code) !== Remedy.BACK_OFF;
  return error instanceof ClientError && FINAL.includes(error.reason);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
