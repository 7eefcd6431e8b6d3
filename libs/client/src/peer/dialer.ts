import type { Frame } from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import { Connection, type ConnectionState } from '../connection/connection.js';
import type { Link } from '../connection/link.js';
import type { PeerSocketFactory } from './dialing.js';
import { introduce, meetListener, type Meeting, type Self } from './meeting.js';
import type { PeerIdentity } from './peer-identity.js';

export interface DialerPorts {
  readonly socketOf: PeerSocketFactory;
  readonly self: Self;
  /** Throws ClientError for who must not hear of this device. */
  readonly mayIntroduce: (peer: PeerIdentity) => Promise<'yes' | { readonly ask: () => boolean | Promise<boolean> }>;
  /** The link there is to an account, whoever opened it. */
  readonly linkOf: (account: string) => Link | undefined;
  /** Returns where frames go from then on. */
  readonly attach: (meeting: Meeting) => Promise<(frames: Frame[]) => void>;
  readonly onState: (state: ConnectionState) => void;
}

/** Keeps this device connected to one listener. */
export class Dialer {
  readonly #connection: Connection;
  #meeting: Meeting | undefined;
  #receive: (frames: Frame[]) => void = () => undefined;
  /** Whom the user has trusted in this dial, by pin. */
  #agreed: string | undefined;

  constructor(
    private readonly url: string,
    private readonly ports: DialerPorts,
  ) {
    this.#connection = new Connection({
      open: (isWanted) => this.#open(isWanted),
      attach: async () => {
        this.#receive = await ports.attach(this.#meeting!);
      },
      onFrames: (frames) => this.#receive(frames),
      onState: ports.onState,
    });
  }

  /** Of who was reached last. */
  get account(): string | undefined {
    return this.#meeting?.peer.account;
  }

  connect(): Promise<void> {
    return this.#connection.connect();
  }

  /** Unless it is connected: what stood against it may be settled. */
  async again(): Promise<void> {
    if (this.#connection.link === undefined) await this.connect();
  }

  refuse(cause: string): void {
    this.#connection.refuse(cause);
  }

  close(): void {
    this.#connection.close();
  }

  async #open(isWanted: () => boolean): Promise<Link> {
    await this.#untilUnlinked();
    const meeting = await this.#metTrusted();
    if (!isWanted()) {
      meeting.link.close(new ClientError('closed', 'given up meanwhile'));
      throw new ClientError('closed', 'given up meanwhile');
    }
    await introduce(meeting, this.ports.self);
    this.#meeting = meeting;
    return meeting.link;
  }

  /** The peer has opened a link of its own: with two, each end would close the other's. */
  async #untilUnlinked(): Promise<void> {
    const link = this.account === undefined ? undefined : this.ports.linkOf(this.account);
    if (link !== undefined && !link.closed) await link.ended;
  }

  /** The user may take long to answer, and a listener waits for nobody: so the question stands between two connections. */
  async #metTrusted(): Promise<Meeting> {
    const meeting = await meetListener(this.url, this.ports.socketOf);
    const { link, peer } = meeting;
    try {
      const answer = await this.ports.mayIntroduce(peer);
      if (answer === 'yes' || this.#agreed === peer.pin) return meeting;
      link.close(new ClientError('closed', 'the user is asked first'));
      if (!(await answer.ask()))
        throw new ClientError('pin-refused', `the identity ${peer.pin} of this peer is not trusted yet: pin it, or confirm it when asked`);
    } catch (error) {
      link.close(new ClientError('closed', 'not introduced'));
      throw error;
    }
    this.#agreed = peer.pin;
    return this.#metTrusted();
  }
}
