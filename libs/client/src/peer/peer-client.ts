import { ready } from '@sotto/channel';
import { ErrorCode, type Frame } from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import type { Socket } from '../connection/socket.js';
import { ConversationClient, conversationParts, type ConversationParts } from '../conversation-client.js';
import { History } from '../history/history.js';
import type { DeviceOptions } from '../device-core.js';
import type { Messaging } from '../messaging/messaging.js';
import { loadSettings } from '../messaging/settings.js';
import type { Upkeep } from '../messaging/upkeep.js';
import { sodiumReady } from '../sodium.js';
import { globalPeerSocketFactory, type PeerSocketFactory } from './dialing.js';
import { Dialer } from './dialer.js';
import { meetDialer, type Meeting } from './meeting.js';
import { PeerBook } from './peer-book.js';
import { PeerCarrier } from './peer-carrier.js';
import { PeerDevice } from './peer-device.js';
import type { PeerIdentity } from './peer-identity.js';
import { PeerLink } from './peer-link.js';
import { PeerPackages } from './peer-packages.js';

/** Somebody whom the user has not met. */
export interface NewPeer {
  readonly name: string;
  /** SHA-256 of its identity key, lower-case hex. */
  readonly pin: string;
  readonly safetyNumber: string;
}

export interface PeerOptions extends DeviceOptions {
  /** [a-z0-9_]{3,32}; of a store for good. */
  readonly name: string;
  /** Of those who come and are not known, only the one with this pin is let in. Absent: whoever comes. */
  readonly admit?: string | undefined;
  /** Asked about a new peer that this device has reached, before it tells anything of itself. Without it such a peer is refused. */
  readonly onNewPeer?: ((peer: NewPeer) => boolean | Promise<boolean>) | undefined;
  readonly socket?: PeerSocketFactory | undefined;
}

/** One device that talks to others without a server: by an account that it made itself, over links that either end may have opened. */
export class PeerClient extends ConversationClient {
  readonly #device: PeerDevice;
  readonly #carrier: PeerCarrier;
  readonly #messaging: Messaging;
  readonly #upkeep: Upkeep;
  readonly #book: PeerBook;
  readonly #packages: PeerPackages;
  readonly #numbers = { next: 1n };
  #identity: PeerIdentity | undefined;
  #dialer: Dialer | undefined;
  /** The pin of who is to be where it dials. */
  #expected: string | undefined;

  private constructor(
    private readonly options: PeerOptions,
    device: PeerDevice,
    carrier: PeerCarrier,
    parts: ConversationParts,
  ) {
    super(parts);
    this.#device = device;
    this.#carrier = carrier;
    this.#messaging = parts.messaging;
    this.#upkeep = parts.upkeep;
    this.#book = new PeerBook(device, parts.messaging);
    this.#packages = new PeerPackages(device);
  }

  /** Opens the store, or makes an account in it. Throws ClientError `bad-store` when it is another's. */
  static async open(options: PeerOptions): Promise<PeerClient> {
    await Promise.all([sodiumReady(), ready()]);
    const device: PeerDevice = new PeerDevice(options, (cause) => client.#endAll(cause));
    const carrier = new PeerCarrier(device);
    const client: PeerClient = new PeerClient(options, device, carrier, conversationParts(device, carrier));
    try {
      client.#device.history = await History.load(options.store);
      client.#device.settings = await loadSettings(options.store);
      client.#identity = await client.#device.load(options.name);
      await client.#packages.load();
      await client.#messaging.load();
      await client.#upkeep.start();
      await client.#device.step((journal) => client.#messaging.goOnline(journal));
    } catch (error) {
      await client.close();
      throw error;
    }
    return client;
  }

  get account(): { readonly name: string } {
    return { name: this.options.name };
  }

  /** Of this device, for others to know it by. */
  get pin(): string {
    return this.#identity!.pin;
  }

  // --- links

  /** The name of the contact to whom `connect` has led. */
  get dialed(): string | undefined {
    const account = this.#dialer?.account;
    return account === undefined ? undefined : this.#device.contacts.byAccount(account)?.name;
  }

  /**
   * Connects to a listener (ws://…), and keeps connected: `state` tells how that goes. Resolves after the first try. Replaces a dial before.
   * @param pin of who is expected there: it is trusted without a question, and nobody else is
   */
  async connect(url: string, { pin }: { pin?: string | undefined } = {}): Promise<void> {
    this.#dialer?.close();
    this.#expected = pin;
    this.#dialer = new Dialer(url, {
      socketOf: this.options.socket ?? globalPeerSocketFactory(),
      self: this.#device.self,
      mayIntroduce: (peer) => this.#mayIntroduce(peer),
      linkOf: (account) => this.#carrier.linkOf(account)?.link,
      attach: (meeting) => this.#attach(meeting, true),
      onState: (state) => this.#device.events.emit('state', state),
    });
    await this.#dialer.connect();
  }

  /** Somebody has connected to this device. Resolves once it is admitted; else the connection is closed, and this rejects. */
  async accept(socket: Socket): Promise<void> {
    const meeting = await meetDialer(socket, this.#device.self);
    const { link, peer } = meeting;
    try {
      if ((await this.#judge(peer)) && this.options.admit !== undefined && peer.pin !== this.options.admit)
        throw new ClientError('not-admitted', 'a stranger was not let in: only known peers and the expected one are');
    } catch (error) {
      link.send({ case: 'peerAdmission', value: { error: { code: ErrorCode.FORBIDDEN } } });
      link.close(new ClientError('closed', 'not admitted'));
      throw error;
    }
    link.send({ case: 'peerAdmission', value: {} });
    await this.#attach(meeting, false);
  }

  /** Dials no more, and ends the link that came of it. */
  disconnect(): void {
    this.#dialer?.close();
    this.#dialer = undefined;
  }

  /** Ends the link to a contact, whoever opened it. It may come back. */
  hangUp(name: string): void {
    this.#carrier.linkOf(this.#device.accepted(name).account)?.link.close(new ClientError('closed', 'hung up'));
  }

  // --- keys

  safetyNumber(name: string): string {
    return this.#book.safetyNumber(name);
  }

  /** A dial that expects who had the old key expects the new one from then on. */
  async confirmKey(name: string): Promise<void> {
    const before = await this.#book.pinOf(name);
    await this.#book.confirmKey(name);
    if (this.#expected === before) this.#expected = await this.#book.pinOf(name);
    await this.#dialer?.again();
  }

  // --- who may come

  /** True: nobody whom the user knows. Throws ClientError; a changed key is told to the user. */
  async #judge(peer: PeerIdentity): Promise<boolean> {
    try {
      return this.#book.isNew(peer);
    } catch (error) {
      if (error instanceof ClientError && error.reason === 'pin-changed')
        await this.#device.step((journal) => this.#book.cameWithAnotherKey(peer, journal));
      throw error;
    }
  }

  /** Whether this device tells the listener that it reached who it is. `ask`: only once the user says so. */
  async #mayIntroduce(peer: PeerIdentity): Promise<'yes' | { ask: () => boolean | Promise<boolean> }> {
    const isNew = await this.#judge(peer);
    const { onNewPeer } = this.options;
    const pin = this.#expected;
    if (pin !== undefined && pin !== peer.pin)
      throw new ClientError('pin-changed', 'the peer there has another identity than the pin says: nothing was sent');
    if (!isNew || pin === peer.pin) return 'yes';
    const safetyNumber = this.#book.safetyNumberWith(peer.identityKey);
    return { ask: () => onNewPeer?.({ name: peer.name, pin: peer.pin, safetyNumber }) ?? false };
  }

  // --- links, once both ends are known

  async #attach({ link, peer, first }: Meeting, dialed: boolean): Promise<(frames: Frame[]) => void> {
    const peerLink = new PeerLink(link, peer, this.#device, this.#packages, this.#numbers);
    const receive = (frames: Frame[]) => peerLink.receive(frames);
    this.#carrier.add(peerLink)?.link.close(new ClientError('closed', 'replaced by a newer connection'));
    const met = this.#device.step((journal) => this.#book.met(peer, dialed, journal));
    receive(first.rest());
    link.listen({ onFrames: receive, onClosed: () => undefined });
    void link.ended.then(() => this.#ended(peerLink));
    await met.catch((error: unknown) => {
      link.close(new ClientError('closed', 'not admitted'));
      throw error;
    });
    return receive;
  }

  /** First that the peer has gone, then that it did not get what it did not answer: so that this waits for its return. */
  #ended(link: PeerLink): void {
    if (this.#carrier.remove(link)) {
      const left = this.#device.step(async (journal) => this.#book.left(link.peer, journal));
      void left.catch((error: unknown) => this.#device.failed(error));
    }
    this.#carrier.returnOpen(link);
  }

  #endAll(cause?: string): void {
    if (cause === undefined) this.#dialer?.close();
    else this.#dialer?.refuse(cause);
    for (const { link } of this.#carrier.links()) link.close(new ClientError('closed', cause ?? 'closed by the program'));
  }
}
