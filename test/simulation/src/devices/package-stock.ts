import type { MlsEngine, OwnKeyPackage } from '@sotto/mls';
import { capabilityOf } from '../server/delivery-token.js';
import type { Directory } from '../server/directory.js';
import { decodeRecord, type Journal, type PackageStock } from '@sotto/client/core';
import type { Disk } from './disk.js';

const COLLECTION = 'key-packages';
const LIFETIME_SECONDS = 90 * 86_400;
const SKEW_SECONDS = 86_400;
const RENEWAL_SECONDS = 3_600;

interface Stocked extends OwnKeyPackage {
  readonly lastResort: boolean;
  readonly used?: boolean;
}

export interface Publisher {
  readonly account: string;
  readonly device: string;
  readonly engine: MlsEngine;
  /** Unix seconds, by the device's clock. */
  readonly now: number;
  newToken(): Uint8Array;
}

/** Key packages that the device has published, by capability id, as the client keeps them: private halves on its disk, public ones at the directory. */
export class SimulatedStock implements PackageStock {
  readonly #packages: Map<string, Stocked>;
  #isOutdated = false;
  /** Capability of what was published as last resort since the program started. */
  #lastResort: string | undefined;
  /** Unix seconds. */
  #renewedAt = 0;

  constructor(disk: Disk) {
    this.#packages = new Map([...disk.read(COLLECTION)].map(([key, bytes]) => [key, decodeRecord<Stocked>(bytes)]));
  }

  candidates(): readonly OwnKeyPackage[] {
    return [...this.#packages.values()];
  }

  /** True for one of last resort: it stays, and another is published instead. */
  spend(used: OwnKeyPackage, journal: Journal): boolean {
    const found = [...this.#packages].find(([, each]) => Buffer.compare(each.publicBytes, used.publicBytes) === 0);
    if (found === undefined) return false;
    const [capability, stocked] = found;
    if (stocked.lastResort) this.#keep(capability, { ...stocked, used: true }, journal);
    else this.discard(capability, journal);
    return stocked.lastResort;
  }

  /** What is published is not what the device holds. */
  outdated(): void {
    this.#isOutdated = true;
  }

  /** What was handed out under this capability reaches the device no more. */
  discard(capability: string, journal: Journal): void {
    if (this.#packages.delete(capability)) journal.remove(COLLECTION, capability);
  }

  /** Makes what is missing durable, and publishes it when it is. */
  async topUp(publisher: Publisher, oneTime: number, directory: Directory, journal: Journal): Promise<void> {
    const { account, device, now } = publisher;
    if (this.#isOutdated && now - this.#renewedAt >= RENEWAL_SECONDS) {
      directory.clear(account, device);
      this.#isOutdated = false;
      this.#renewedAt = now;
    }
    const left = directory.count(account, device);
    const own = this.#packages.get(this.#lastResort ?? '');
    const hasLastResort = left.lastResort && own !== undefined && own.used !== true;
    const made: Stocked[] = [];
    for (let missing = oneTime - left.oneTime; missing > 0; missing--) made.push(await this.#make(publisher, false, journal));
    if (!hasLastResort) made.push(await this.#make(publisher, true, journal));
    if (made.length === 0) return;
    const published = made.map(({ publicBytes: bytes, lastResort }) => ({ bytes, lastResort }));
    const lastResort = hasLastResort ? this.#lastResort : [...this.#packages.keys()].at(-1);
    journal.afterwards(() => {
      directory.publish(account, device, published);
      this.#lastResort = lastResort;
    });
  }

  #keep(capability: string, stocked: Stocked, journal: Journal): void {
    this.#packages.set(capability, stocked);
    journal.put(COLLECTION, capability, stocked);
  }

  async #make({ engine, now, newToken }: Publisher, lastResort: boolean, journal: Journal): Promise<Stocked> {
    const lifetime = { notBefore: now - SKEW_SECONDS, notAfter: now + LIFETIME_SECONDS };
    const token = newToken();
    const { publicBytes, privateBytes } = await engine.generateKeyPackage({ token, lifetime, lastResort });
    const stocked = { publicBytes, privateBytes, lastResort };
    this.#keep(capabilityOf(token), stocked, journal);
    return stocked;
  }
}
