import type { Counters } from '../counters.js';
import type { Random } from '../random.js';
import type { Schedule } from '../schedule.js';
import { type ClaimedBytes, Directory } from './directory.js';
import type { FrameToDevice, FrameToServer } from './frames.js';
import { CALM, Line, type Weather } from './line.js';
import { Presence } from './presence.js';
import { type Registration, Relay } from './relay.js';
import { Slots } from './slots.js';

/** Probabilities of what the server does to its clients. */
export interface ServerWeather extends Weather {
  /** Of a Send with a slot. */
  readonly diesAfterClaim: number;
  /** Of a Send. */
  readonly busy: number;
  /** Of a presence event. */
  readonly presenceLost: number;
  /** Of a claim of key packages. */
  readonly claimLost: number;
}

export const CALM_SERVER: ServerWeather = { ...CALM, diesAfterClaim: 0, busy: 0, presenceLost: 0, claimLost: 0 };

export interface ServerSettings {
  readonly retryWindowMs: number;
  readonly deliveryWindow: number;
  /** Accounts that seem to be offline, wherever they are. */
  readonly invisible: ReadonlySet<string>;
}

/** A device as the server sees it. */
export interface Endpoint {
  readonly account: string;
  readonly device: string;
  readonly registration: Registration;
  receive(frame: FrameToDevice): Promise<void> | void;
}

/** Why it is no contact of an account is nobody's business: unknown is what the other end sees. */
export type ContactsOf = (account: string) => ReadonlySet<string>;

const LIST_AFTER_MS = 150;
const CLAIM_MS = 80;
const CLAIM_TIMEOUT_MS = 10_000;

export class Connection {
  readonly toDevice: Line<FrameToDevice>;
  readonly #toServer: Line<FrameToServer>;

  constructor(
    readonly endpoint: Endpoint,
    world: ConstructorParameters<typeof Line>[0],
    arrive: (frame: FrameToServer) => void,
    private readonly onClose: (connection: Connection) => void,
  ) {
    this.toDevice = new Line<FrameToDevice>(world, (frame) => endpoint.receive(frame));
    this.#toServer = new Line<FrameToServer>(world, arrive);
  }

  send(frame: FrameToServer): void {
    this.#toServer.put(frame);
  }

  close(): void {
    this.toDevice.cut();
    this.#toServer.cut();
    this.onClose(this);
  }
}

/** Gateway, relay, presence and directory in one, with every fault that clients must live with. */
export class Server {
  readonly slots = new Slots();
  readonly directory = new Directory();
  readonly relay: Relay;
  weather: ServerWeather = CALM_SERVER;
  readonly #presence: Presence;
  readonly #connections = new Map<string, Connection>();
  /** Devices that are kept apart, by the number of their part; all others are together. */
  #parts: ReadonlyMap<string, number> = new Map();

  constructor(
    readonly schedule: Schedule,
    readonly random: Random,
    readonly counters: Counters,
    settings: ServerSettings,
    private readonly contactsOf: ContactsOf,
  ) {
    this.relay = new Relay(
      schedule,
      random,
      this.slots,
      {
        ...settings,
        busy: () => this.#happens('relay-busy', this.weather.busy),
        diesAfterClaim: () => this.#happens('relay-dies-after-claim', this.weather.diesAfterClaim),
        reaches: (sender, device) => this.#parts.get(sender) === this.#parts.get(device),
      },
      (device, frame) => this.#connections.get(device)?.toDevice.put(frame),
    );
    this.#presence = new Presence(schedule, random, (account, online) => this.#tellContacts(account, online), settings.invisible);
  }

  /** From now on nothing passes between these parts, nor between them and all other devices; with none, everything does. */
  keepApart(...parts: readonly (readonly string[])[]): void {
    if (parts.length > 0) this.counters.count('kept-apart');
    this.#parts = new Map(parts.flatMap((devices, number) => devices.map((device) => [device, number])));
  }

  /** A newer connection of the same device replaces the older one. */
  connect(endpoint: Endpoint): Connection {
    const { account, device } = endpoint;
    this.#connections.get(device)?.close();
    const connection = new Connection(
      endpoint,
      this,
      (frame) => (frame.kind === 'send' ? this.relay.send(device, frame) : this.relay.ack(device, frame)),
      (closed) => this.#closed(closed),
    );
    this.#connections.set(device, connection);
    this.relay.attach(device, endpoint.registration);
    this.#presence.attach(account, device);
    this.schedule.after(LIST_AFTER_MS, () => this.#list(connection));
    return connection;
  }

  /**
   * Answered once: with nothing when there is no connection, when it ends before the answer, or when the call came to nothing. Only contacts,
   * and one's own account, are answered with packages.
   */
  claim(claimer: Endpoint, account: string, answer: (packages: readonly ClaimedBytes[] | undefined) => Promise<void> | void): void {
    const connection = this.#connections.get(claimer.device);
    const lost = connection === undefined || this.#happens('claim-lost', this.weather.claimLost);
    const allowed = account === claimer.account || this.contactsOf(claimer.account).has(account);
    this.schedule.after(lost ? this.random.whole(0, CLAIM_TIMEOUT_MS) : this.random.wait(CLAIM_MS), () => {
      if (lost || this.#connections.get(claimer.device) !== connection) return answer(undefined);
      return answer(allowed ? this.directory.claim(account) : []);
    });
  }

  #closed(connection: Connection): void {
    const { account, device } = connection.endpoint;
    if (this.#connections.get(device) !== connection) return;
    this.#connections.delete(device);
    this.relay.detach(device);
    this.#presence.detach(account, device);
  }

  #tellContacts(account: string, online: boolean): void {
    for (const connection of this.#connections.values()) {
      if (!this.contactsOf(connection.endpoint.account).has(account)) continue;
      if (this.#happens('presence-lost', this.weather.presenceLost)) continue;
      connection.toDevice.put({ kind: 'presence', account, online });
    }
  }

  /** The contact list after an Attach: events may have been lost. */
  #list(connection: Connection): void {
    for (const account of this.contactsOf(connection.endpoint.account)) {
      connection.toDevice.put({ kind: 'presence', account, online: this.#presence.isOnline(account) });
    }
  }

  #happens(fault: Parameters<Counters['count']>[0], probability: number): boolean {
    const happens = this.random.chance(probability);
    if (happens) this.counters.count(fault);
    return happens;
  }
}
