import { toHex } from '@sotto/protocol';
import type { Journal } from '../storage/journal.js';
import { decodeRecord } from '../storage/record.js';
import type { PeerDevice } from './peer-device.js';

const COLLECTION = 'peer-packages';
/** One that is about to expire is of no use to who keeps it for later. Seconds. */
const LEAST_LIFE = 7 * 86_400;

/** One key package for each peer, which gets the same one until it has used it: however often it asks, no more are made. */
export class PeerPackages {
  /** Capability id of the package that each account was given. */
  readonly #given = new Map<string, string>();

  constructor(private readonly device: PeerDevice) {}

  async load(): Promise<void> {
    for (const [account, bytes] of await this.device.options.store.load(COLLECTION)) this.#given.set(account, decodeRecord(bytes));
  }

  /** An MLSMessage. It is durable with the step, and must not leave the device before. */
  async packageFor(account: string, journal: Journal): Promise<Uint8Array> {
    const { stock, engine } = this.device;
    const given = this.#given.get(account) ?? '';
    const before = stock.packages.get(given);
    if (before !== undefined && before.expires - Date.now() / 1_000 > LEAST_LIFE) return before.publicBytes;
    stock.discard([given], journal);
    const { keyPackage, capability } = await stock.make(engine!, journal, false);
    this.#given.set(account, toHex(capability));
    journal.put(COLLECTION, account, toHex(capability));
    return keyPackage;
  }
}
