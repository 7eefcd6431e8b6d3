import type { MlsEngine, MlsProvider } from '@sotto/mls';
import { ErrorCode } from '@sotto/protocol';
import { ClientError, ServerError } from './client-error.js';
import type { ClientEvents } from './client-events.js';
import { type Contact, ContactList, type ContactStatus } from './contacts/contact-list.js';
import { Emitter } from './events.js';
import type { History } from './history/history.js';
import { KeyPackageStock } from './key-packages/key-package-stock.js';
import type { Messenger } from './messaging/messenger.js';
import { DEFAULT_SETTINGS, type Settings } from './messaging/settings.js';
import { RevokedCapabilities } from './session/revoked-capabilities.js';
import type { DeviceSecrets, OwnDevice } from './session/session-record.js';
import { Journal } from './storage/journal.js';
import type { Store } from './storage/store.js';

const NOT_YET: Readonly<Record<Exclude<ContactStatus, 'accepted'>, string>> = {
  pending: 'the request is not answered',
  requested: 'the request waits for your answer',
  blocked: 'you block it',
  removed: 'it was removed',
};

export interface DeviceOptions {
  readonly store: Store;
  /** Defaults to the one that runs everywhere; @sotto/client/node brings a faster one. */
  readonly mlsProvider?: MlsProvider | undefined;
}

/** What the parts of a client share, whoever it is connected to: the device's state, and the one order of steps in which it changes. */
export abstract class DeviceCore<Options extends DeviceOptions = DeviceOptions, Own extends OwnDevice = OwnDevice> {
  readonly events = new Emitter<ClientEvents>();
  secrets: DeviceSecrets | undefined;
  session: Own | undefined;
  engine: MlsEngine | undefined;
  contacts = new ContactList(new Map());
  stock = new KeyPackageStock(new Map(), new Uint8Array());
  messenger: Messenger | undefined;
  /** There from the time when the store is loaded. */
  history!: History;
  settings: Settings = DEFAULT_SETTINGS;
  revoked = new RevokedCapabilities(new Map());
  closed = false;
  /** No other device of the account was connected when this one looked, twice. */
  alone = false;
  #steps: Promise<unknown> = Promise.resolve();

  constructor(readonly options: Options) {}

  /** For good. @param cause why it had to be; undefined: the program wants it. */
  protected abstract disconnect(cause?: string): void;

  /** One after the other; its effects are durable before anything of it leaves the device. */
  step<T>(work: (journal: Journal) => Promise<T>): Promise<T> {
    const run = async (): Promise<T> => {
      if (this.closed) throw new ClientError('closed', 'the client is closed');
      const journal = new Journal(this.options.store);
      try {
        const result = await work(journal);
        await journal.commit();
        return result;
      } catch (error) {
        await this.#keepWhatHappened(error, journal);
        throw error;
      }
    };
    const result = this.#steps.then(run);
    this.#steps = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    await this.#steps;
    this.closed = true;
    this.disconnect();
    await this.options.store.close();
  }

  signedIn(): { session: Own; secrets: DeviceSecrets } {
    if (this.session === undefined || this.secrets === undefined) throw new ClientError('not-logged-in', 'log in first');
    return { session: this.session, secrets: this.secrets };
  }

  accepted(name: string): Contact {
    const contact = this.contacts.get(name);
    if (contact === undefined) throw new ClientError('unknown-contact', `${name} is no contact: ask for it first`);
    if (contact.status !== 'accepted') throw new ClientError('not-accepted', `${name} is not a contact yet: ${NOT_YET[contact.status]}`);
    return contact;
  }

  problem(code: ClientEvents['problem']['code'], text: string, contact?: string): void {
    this.events.emit('problem', contact === undefined ? { code, text } : { code, text, contact });
  }

  failed(error: unknown): void {
    if (this.closed || (error instanceof ClientError && (error.reason === 'offline' || error.reason === 'closed'))) return;
    this.problem('call-failed', failureText(error));
  }

  /** A step that ends early, say by a call that was refused, has moved the state in memory: the disk must follow, or an MLS generation is used twice. */
  async #keepWhatHappened(error: unknown, journal: Journal): Promise<void> {
    if (error instanceof ClientError && error.reason === 'storage-failed') return this.#storageFailed(error);
    await journal.commit().catch((failure: unknown) => this.#storageFailed(failure as ClientError));
  }

  /** Memory is ahead of the disk now: nothing may be acknowledged or sent from it. */
  #storageFailed(error: ClientError): void {
    this.problem('storage-failed', error.message);
    this.disconnect(error.message);
    this.closed = true;
  }
}

/** Of what the device did by itself. */
function failureText(error: unknown): string {
  if (error instanceof ServerError && error.code === ErrorCode.RATE_LIMITED)
    return 'this device asked more of the server than it takes at once: it goes on by itself a little later';
  return error instanceof ServerError || error instanceof ClientError ? error.message : 'a step of the client failed';
}
