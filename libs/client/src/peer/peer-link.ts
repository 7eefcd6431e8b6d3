import { create, toBinary } from '@bufbuild/protobuf';
import {
  type Call,
  ClaimKeyPackagesRequestSchema,
  ClaimKeyPackagesResponseSchema,
  ErrorCode,
  type Frame,
  fromHex,
  ID_BYTES,
  KeyPackages,
  LIMITS,
  methodName,
  Outcome,
  type Receipt,
  ReceiptStatus,
  type Send,
  TIMES,
  toHex,
} from '@sotto/protocol';
import { fromBinary } from '@bufbuild/protobuf';
import type { Link } from '../connection/link.js';
import { CIPHER_SUITE } from '../key-packages/key-package-stock.js';
import { stepOf } from '../messaging/messaging.js';
import type { Claimed, OutgoingSend } from '../messaging/messenger-ports.js';
import type { Journal } from '../storage/journal.js';
import type { PeerDevice } from './peer-device.js';
import type { PeerIdentity } from './peer-identity.js';
import type { PeerPackages } from './peer-packages.js';

/** Boxes that wait to be stored: with more, nothing is read from the peer for a while. */
const MOST_WAITING = 64;
/** What is remembered of messages without an answer; what is forgotten is only sent again later. */
const MOST_OPEN = 4_096;

const CLAIM = methodName(KeyPackages.method.claim);
const STATUS: Partial<Record<Outcome, ReceiptStatus>> = {
  [Outcome.STORED]: ReceiptStatus.DELIVERED,
  [Outcome.LATER]: ReceiptStatus.ACCEPTED,
  [Outcome.CANNOT]: ReceiptStatus.CANNOT,
};

/** The connection to a peer that has proven who it is: each end is to the other what a server would be. */
export class PeerLink {
  /** Sends without a final receipt, and whether each is a commit that waits for its epoch. */
  readonly #open = new Map<string, boolean>();
  /** Ids of the peer's Sends that are not answered yet, by the number under which the messenger knows them. */
  readonly #unanswered = new Map<bigint, Uint8Array>();
  #waiting = 0;

  constructor(
    readonly link: Link,
    readonly peer: PeerIdentity,
    private readonly device: PeerDevice,
    private readonly packages: PeerPackages,
    private readonly numbers: { next: bigint },
  ) {
    link.mostUnsentBytes = LIMITS.peerUnsentBytes;
    link.startHeartbeat(TIMES.heartbeatMs);
  }

  // --- to the peer

  send({ id, payload, recipients, held, slot }: OutgoingSend): void {
    if (held) remember(this.#open, id, slot !== undefined);
    const to = recipients.map(({ device, token }) => ({ device: fromHex(device), token }));
    this.link.send({ case: 'send', value: { id: fromHex(id), recipients: to, payload } });
  }

  /** False: it is no message of this peer's. */
  ack(handle: bigint, outcome: Outcome): boolean {
    const id = this.#unanswered.get(handle);
    if (id === undefined) return false;
    if (outcome !== Outcome.LATER) this.#unanswered.delete(handle);
    this.link.send({
      case: 'receipt',
      value: { id, device: fromHex(this.device.signedIn().session.device), status: STATUS[outcome] ?? ReceiptStatus.CANNOT },
    });
    return true;
  }

  async claim(): Promise<Claimed> {
    const { account, device } = this.peer;
    const { keyPackages } = await this.link.call(KeyPackages.method.claim, { account: fromHex(account), cipherSuite: CIPHER_SUITE });
    return keyPackages.filter((each) => toHex(each.device) === device).map(({ keyPackage: bytes }) => ({ device, bytes }));
  }

  /** It has ended: what had no answer goes out again when the peer is back. */
  takeOpen(): { readonly id: string; readonly isCommit: boolean }[] {
    const open = [...this.#open].map(([id, isCommit]) => ({ id, isCommit }));
    this.#open.clear();
    this.#unanswered.clear();
    return open;
  }

  // --- from the peer

  /** One box, one step. */
  receive(frames: readonly Frame[]): void {
    if (++this.#waiting === MOST_WAITING) this.link.socket.pause?.();
    const step = this.device.step(async (journal) => {
      for (const frame of frames) await this.#frame(frame, journal);
    });
    void step
      .catch((error: unknown) => this.device.failed(error))
      .finally(() => {
        if (--this.#waiting === MOST_WAITING - 1) this.link.socket.resume?.();
      });
  }

  async #frame({ kind }: Frame, journal: Journal): Promise<void> {
    if (kind.case === 'send') return this.#delivered(kind.value, journal);
    if (kind.case === 'receipt') return this.#receipt(kind.value, journal);
    if (kind.case === 'call') return this.#called(kind.value, journal);
    if (kind.case === 'ping') this.link.send({ case: 'pong', value: { nonce: kind.value.nonce } });
  }

  async #delivered({ id, payload, recipients }: Send, journal: Journal): Promise<void> {
    const own = this.device.signedIn().session.device;
    const isForThis = recipients.some(({ device }) => toHex(device) === own);
    if (id.length !== ID_BYTES || payload.length > LIMITS.payloadBytes || !isForThis) return;
    const handle = this.numbers.next++;
    remember(this.#unanswered, handle, id);
    await this.device.messenger?.receive(handle, payload, stepOf(journal));
  }

  /** Of this peer's own device, and of what was sent to it alone. */
  async #receipt({ id, status }: Receipt, journal: Journal): Promise<void> {
    const sent = toHex(id);
    if (!this.#open.has(sent) || !ANSWERS.includes(status)) return;
    if (status !== ReceiptStatus.ACCEPTED) this.#open.delete(sent);
    const receipt = { id: sent, device: this.peer.device, status, relay: 0, retryAfterMs: 0, final: false, commit: '' };
    await this.device.messenger?.receipt(receipt, stepOf(journal));
  }

  async #called({ id, method, body }: Call, journal: Journal): Promise<void> {
    if (method !== CLAIM) return this.link.send({ case: 'reply', value: { id, error: { code: ErrorCode.UNKNOWN_METHOD } } });
    const { account, cipherSuite } = fromBinary(ClaimKeyPackagesRequestSchema, body);
    const own = this.device.signedIn().session;
    const isForThis = toHex(account) === own.account && cipherSuite === CIPHER_SUITE;
    const keyPackage = isForThis ? await this.packages.packageFor(this.peer.account, journal) : undefined;
    const keyPackages = keyPackage === undefined ? [] : [{ device: fromHex(own.device), keyPackage }];
    const response = create(ClaimKeyPackagesResponseSchema, { keyPackages });
    journal.afterwards(() => this.link.send({ case: 'reply', value: { id, body: toBinary(ClaimKeyPackagesResponseSchema, response) } }));
  }
}

const ANSWERS: readonly ReceiptStatus[] = [ReceiptStatus.ACCEPTED, ReceiptStatus.DELIVERED, ReceiptStatus.CANNOT];

function remember<Key, Value>(open: Map<Key, Value>, key: Key, value: Value): void {
  open.set(key, value);
  if (open.size > MOST_OPEN) open.delete(open.keys().next().value!);
}
