import { Accounts, type Session, toHex } from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import type { Link } from '../connection/link.js';
import { type Contact, ContactList } from '../contacts/contact-list.js';
import type { Device } from '../device.js';
import { KeyPackageStock, type StockedKeyPackage } from '../key-packages/key-package-stock.js';
import { forgetGroups } from '../groups/stored-groups.js';
import type { Messaging } from '../messaging/messaging.js';
import { keyPairOf, newKeyPair } from '../sodium.js';
import type { Journal } from '../storage/journal.js';
import { decodeRecord } from '../storage/record.js';
import { listDevices } from './account-devices.js';
import { type Argon2id, portableArgon2id } from './argon2id.js';
import { engineOf } from './own-engine.js';
import { exportRecoveryFile, importRecoveryFile } from './recovery-file.js';
import { RevokedCapabilities } from './revoked-capabilities.js';
import {
  type DeviceOrigin,
  type DeviceSecrets,
  newSecrets,
  type NextSecrets,
  PEER_COLLECTION,
  recordOf,
  type SessionRecord,
} from './session-record.js';
import { RESTORED, type RestoredAccount } from './restored-account.js';
import * as signIn from './sign-in.js';

export interface Account {
  readonly name: string;
  readonly account: string;
  readonly device: string;
  readonly server: string;
  /** The account's identity key must confirm this device first: recovery file, or reset. */
  readonly pending: boolean;
}

/** Who this device is to the server, and which keys it has for that. */
export class Sessions {
  /** Of a registration whose answer never came: the account may be there, and under these keys. */
  #untold: NextSecrets | undefined;
  #unanswered = false;
  /** Of an archive that this store was made from, until the first log-in. */
  #restored: RestoredAccount | undefined;

  constructor(
    private readonly device: Device,
    private readonly messaging: Messaging,
  ) {}

  /** The account of this device, or undefined before the first log-in. */
  get account(): Account | undefined {
    const session = this.device.session;
    if (session === undefined) return undefined;
    const { name, account, device, server, pending } = session;
    return { name, account, device, server, pending };
  }

  /** Whose archive this store was made from, when it has not logged in since. */
  get restored(): Pick<RestoredAccount, 'name' | 'server'> | undefined {
    return this.#restored && { name: this.#restored.name, server: this.#restored.server };
  }

  /**
   * Makes an account; the name that it got may carry a tag. An answer that is lost is asked for once more; later, also by a program that starts anew,
   * the same invite and password give the account that was made. Throws ServerError, ClientError.
   */
  async register(name: string, password: string, invite = ''): Promise<Account> {
    if (this.#restored !== undefined) throw new ClientError('not-allowed', 'this store was made from an archive: log in');
    const secrets = this.#untoldBy(invite) ?? newSecrets(newKeyPair().seed);
    let asked = false;
    const ask = (link: Link) => {
      asked = true;
      return signIn.register(link, secrets, { name, password, invite });
    };
    try {
      return await this.#signIn(secrets, 'first', ask, invite);
    } catch (error) {
      this.#unanswered = asked && this.device.session === undefined && error instanceof ClientError && error.reason === 'offline';
      // Without an invite the server would make another account.
      if (!this.#unanswered || invite === '') throw error;
      const account = await this.#signIn(secrets, 'first', ask, invite);
      this.#unanswered = false;
      return account;
    }
  }

  /** An account may have been made with the keys in this store, and nobody has heard of it: the same invite and password tell, or a log-in. */
  get unanswered(): boolean {
    return this.#unanswered;
  }

  #untoldBy(invite: string): DeviceSecrets | undefined {
    if (invite === '' || this.#untold?.invite !== invite) return undefined;
    const { authSeed, mlsSeed, deliveryKey, identitySeed } = this.#untold;
    return { authSeed, mlsSeed, deliveryKey, identitySeed };
  }

  /** Makes a new device of an account. It is pending until it is confirmed, unless this store holds the account's identity key. */
  async logIn(name: string, password: string, replaceLongestAway: boolean): Promise<Account> {
    const secrets = newSecrets(this.device.secrets?.identitySeed ?? this.#restored?.identitySeed ?? this.#untold?.identitySeed);
    const account = await this.#signIn(secrets, 'alone', (link) => signIn.logIn(link, secrets, { name, password, replaceLongestAway }));
    const ours =
      secrets.identitySeed !== undefined && toHex(keyPairOf(secrets.identitySeed).publicKey) === toHex(this.device.session!.identityKey);
    if (account.pending && ours) return this.#confirm(secrets, await this.#originNow());
    if (account.pending)
      this.device.problem(
        'pending-device',
        'this device waits: let another device approve it, give the recovery file, or reset the account key',
      );
    return account;
  }

  async confirmByRecoveryFile(file: Uint8Array, passphrase: string): Promise<Account> {
    const seed = await importRecoveryFile(file, passphrase, this.#argon2id);
    return this.confirmBy(seed, await this.#originNow());
  }

  /** Ends this device's wait by the account's identity key. Throws ClientError `bad-recovery-file` for the key of another account. */
  async confirmBy(identitySeed: Uint8Array, origin: DeviceOrigin): Promise<Account> {
    const { session, secrets } = this.device.signedIn();
    if (toHex(keyPairOf(identitySeed).publicKey) !== toHex(session.identityKey)) {
      throw new ClientError('bad-recovery-file', "this recovery file is of another account, or older than the account's key");
    }
    return this.#confirm({ ...secrets, identitySeed }, origin);
  }

  /** A new identity key: every contact sees a change that it must confirm. */
  async resetIdentity(password: string): Promise<Account> {
    const secrets = { ...this.device.signedIn().secrets, identitySeed: newKeyPair().seed };
    await this.device.step(async (journal) => journal.put('session', 'next-secrets', secrets));
    const session = await signIn.resetIdentity(this.device.requireLink(), secrets, password);
    return this.#becomes(session, secrets, 'alone');
  }

  async recoveryFile(passphrase: string): Promise<Uint8Array> {
    const { identitySeed } = this.device.signedIn().secrets;
    if (identitySeed === undefined) throw new ClientError('not-logged-in', "this device does not hold the account's identity key");
    return exportRecoveryFile(identitySeed, passphrase, this.#argon2id);
  }

  /** Ends all other sessions of the account. */
  async changePassword(oldPassword: string, newPassword: string): Promise<void> {
    const { secrets, session: before } = this.device.signedIn();
    const deviceAuthKey = keyPairOf(secrets.authSeed).publicKey;
    const session = await this.device.requireLink().call(Accounts.method.changePassword, { oldPassword, newPassword, deviceAuthKey });
    await this.#keepSession(session, secrets, before.origin);
  }

  async load(): Promise<void> {
    const { store } = this.device.options;
    const [session, contacts, packages, revoked] = await Promise.all(
      ['session', 'contacts', 'key-packages', 'revoked'].map((collection) => store.load(collection)),
    );
    if ((await store.load(PEER_COLLECTION)).size > 0) throw new ClientError('bad-store', 'this store belongs to a peer without a server');
    const one = <T>(key: string): T | undefined => (session!.has(key) ? decodeRecord<T>(session!.get(key)!) : undefined);
    this.device.secrets = one<DeviceSecrets>('secrets');
    this.device.session = one<SessionRecord>('session');
    this.#untold = one<NextSecrets>('next-secrets');
    this.#restored = one<RestoredAccount>(RESTORED);
    this.device.pin = one<{ pin: string }>('pin')?.pin;
    this.device.contacts = new ContactList(recordsOf<Contact>(contacts!));
    this.device.revoked = new RevokedCapabilities(recordsOf<number>(revoked!));
    if (this.device.secrets === undefined) return;
    await this.#prepare(recordsOf(packages!));
    await this.messaging.load();
  }

  async resume(link: Link): Promise<void> {
    const { session, secrets } = this.device.signedIn();
    const next = await signIn.resume(link, secrets, session);
    await this.#keepSession(next, secrets, session.origin);
    await this.#attach(link, next.accessToken);
  }

  get #argon2id(): Argon2id {
    return this.device.options.argon2id ?? portableArgon2id;
  }

  async #signIn(secrets: DeviceSecrets, origin: DeviceOrigin, ask: (link: Link) => Promise<Session>, invite = ''): Promise<Account> {
    const link = await this.device.connection.openLink();
    try {
      // Kept before the server knows them: an account must not end up with a key that nobody has.
      await this.device.step(async (journal) => {
        this.#untold = { ...secrets, invite };
        journal.put('session', 'next-secrets', this.#untold);
        journal.put('session', 'pin', { pin: link.pin });
        this.device.pin = link.pin;
      });
      const session = await ask(link);
      this.#untold = undefined;
      this.#checkRestored(session);
      await this.#keepSession(session, secrets, origin);
      await this.#attach(link, session.accessToken);
      this.device.connection.adopt(link);
      return this.account!;
    } catch (error) {
      link.close(new ClientError('closed', 'not signed in'));
      throw error;
    }
  }

  /** Contacts and messages of one account are nothing for another. */
  #checkRestored({ account, name }: Session): void {
    if (this.#restored === undefined || this.#restored.account === toHex(account)) return;
    throw new ClientError('not-allowed', `${name} is not the account that this store was made from: log in with another store`);
  }

  async #attach(link: Link, accessToken: string): Promise<void> {
    const { secrets, revoked, settings } = this.device;
    const { invisible } = settings;
    const attached = await signIn.attach(link, secrets!, { accessToken, revokedCapabilities: revoked.wire(), invisible });
    // The next try tells the server.
    if (this.device.settings.invisible !== invisible) throw new ClientError('offline', 'a setting changed meanwhile');
    this.messaging.attached(attached.retryWindowMs);
    if (attached.revoked.length > 0) await this.device.step((journal) => this.messaging.revoked(attached.revoked, journal));
  }

  async #originNow(): Promise<DeviceOrigin> {
    const others = (await listDevices(this.device)).filter(({ own, online, revoked }) => !own && online && !revoked);
    return others.length === 0 ? 'alone' : 'brought';
  }

  async #confirm(secrets: DeviceSecrets, origin: DeviceOrigin): Promise<Account> {
    const session = await signIn.confirmDevice(this.device.requireLink(), secrets, this.device.signedIn().session);
    return this.#becomes(session, secrets, origin);
  }

  /** The device's standing has changed: a new connection carries it. */
  async #becomes(session: Session, secrets: DeviceSecrets, origin: DeviceOrigin): Promise<Account> {
    await this.#keepSession(session, secrets, origin);
    await this.device.connection.connect();
    return this.account!;
  }

  #keepSession(session: Session, secrets: DeviceSecrets, origin: DeviceOrigin): Promise<void> {
    return this.device.step(async (journal) => {
      const before = this.device.session;
      const sameDevice = before?.device === toHex(session.device);
      const record = recordOf(session, origin, before);
      const sameStanding = sameDevice && before.pending === record.pending && toHex(before.identityKey) === toHex(record.identityKey);
      if (this.device.secrets !== undefined && toHex(this.device.secrets.deliveryKey) !== toHex(secrets.deliveryKey))
        this.device.revoked.clear(journal);
      this.device.session = record;
      this.device.secrets = secrets;
      journal.put('session', 'session', record);
      journal.put('session', 'secrets', secrets);
      journal.remove('session', 'next-secrets');
      if (this.#restored !== undefined) journal.remove('session', RESTORED);
      this.#restored = undefined;
      if (sameStanding && this.device.engine !== undefined) return;
      if (!sameDevice) await this.#forgetDevice(journal);
      await journal.commit();
      await this.#prepare(new Map(sameDevice ? this.device.stock.packages : []));
      // What is published speaks of the identity key of before, which contacts take no more. A Welcome that is on its way still opens.
      if (sameDevice && toHex(before.identityKey) !== toHex(record.identityKey)) this.device.stock.outdated();
      await this.messaging.load();
    });
  }

  /** Another device from here on: what belonged to the keys of the one before is of no use. */
  async #forgetDevice(journal: Journal): Promise<void> {
    for (const capability of this.device.stock.packages.keys()) journal.remove('key-packages', capability);
    await forgetGroups(this.device.options.store, journal);
    this.device.messenger?.readdress(journal);
    this.device.messenger = undefined;
    this.device.engine = undefined;
  }

  /** The engine, as far as the device has what it needs. */
  async #prepare(packages: Map<string, StockedKeyPackage>): Promise<void> {
    const session = this.device.session;
    const secrets = this.device.secrets!;
    this.device.stock = new KeyPackageStock(packages, secrets.deliveryKey);
    if (session === undefined || session.pending || secrets.identitySeed === undefined) return;
    this.device.engine = await engineOf(session, secrets.mlsSeed, secrets.identitySeed, this.device.options.mlsProvider);
  }
}

function recordsOf<T>(records: Map<string, Uint8Array>): Map<string, T> {
  return new Map([...records].map(([key, bytes]) => [key, decodeRecord<T>(bytes)]));
}
