import { ClientError } from '../client-error.js';
import { type Contact, ContactList } from '../contacts/contact-list.js';
import { DeviceCore, type DeviceOptions } from '../device-core.js';
import { KeyPackageStock, type StockedKeyPackage } from '../key-packages/key-package-stock.js';
import { engineOf } from '../session/own-engine.js';
import { RevokedCapabilities } from '../session/revoked-capabilities.js';
import { type DeviceSecrets, newSecrets, PEER_COLLECTION } from '../session/session-record.js';
import { keyPairOf, newKeyPair } from '../sodium.js';
import { decodeRecord } from '../storage/record.js';
import { identityOf, PEER_HOME, type PeerIdentity } from './peer-identity.js';
import type { Self } from './meeting.js';

interface SelfRecord {
  readonly name: string;
  readonly secrets: DeviceSecrets;
}

/** The one device of an account that it made itself. */
export class PeerDevice extends DeviceCore {
  constructor(
    options: DeviceOptions,
    private readonly hangUp: (cause?: string) => void,
  ) {
    super(options);
  }

  /** Opens what the store holds, or makes it. Throws ClientError `bad-store` for a store of somebody else. */
  async load(name: string): Promise<PeerIdentity> {
    const { store } = this.options;
    const [own, session, contacts, packages, revoked] = await Promise.all(
      [PEER_COLLECTION, 'session', 'contacts', 'key-packages', 'revoked'].map((collection) => store.load(collection)),
    );
    if (session!.size > 0) throw new ClientError('bad-store', 'this store belongs to an account at a server');
    const kept = own!.get('self');
    const self = kept === undefined ? await this.#made(name) : decodeRecord<SelfRecord>(kept);
    if (self.name !== name) throw new ClientError('bad-store', `this store belongs to ${self.name}, not to ${name}`);
    this.secrets = self.secrets;
    this.contacts = new ContactList(recordsOf<Contact>(contacts!));
    this.stock = new KeyPackageStock(recordsOf<StockedKeyPackage>(packages!), self.secrets.deliveryKey);
    this.revoked = new RevokedCapabilities(recordsOf<number>(revoked!));
    return this.#become(self);
  }

  get self(): Self {
    const { session, secrets } = this.signedIn();
    return { name: session.name, keys: keyPairOf(secrets.identitySeed!) };
  }

  protected disconnect(cause?: string): void {
    this.hangUp(cause);
  }

  /** Durable before anybody hears of it. */
  async #made(name: string): Promise<SelfRecord> {
    const self = { name, secrets: newSecrets(newKeyPair().seed) };
    await this.step(async (journal) => journal.put(PEER_COLLECTION, 'self', self));
    return self;
  }

  async #become({ name, secrets }: SelfRecord): Promise<PeerIdentity> {
    const identitySeed = secrets.identitySeed!;
    const identity = await identityOf(name, keyPairOf(identitySeed).publicKey);
    const { account, device, identityKey } = identity;
    this.session = { account, device, name, identityKey, server: PEER_HOME, origin: 'first' };
    this.engine = await engineOf(this.session, secrets.mlsSeed, identitySeed, this.options.mlsProvider);
    return identity;
  }
}

function recordsOf<T>(records: Map<string, Uint8Array>): Map<string, T> {
  return new Map([...records].map(([key, bytes]) => [key, decodeRecord<T>(bytes)]));
}
