import type { MlsEngine, OwnKeyPackage } from '@sotto/mls';
import type { Directory } from '../server/directory.js';
import { decodeRecord, type Journal, type PackageStock } from '@sotto/client/core';
import type { Disk } from './disk.js';

const COLLECTION = 'key-packages';
const LIFETIME_SECONDS = 90 * 86_400;
const SKEW_SECONDS = 3_600;

interface Stocked extends OwnKeyPackage {
  readonly lastResort: boolean;
}

export interface Publisher {
  readonly account: string;
  readonly device: string;
  readonly engine: MlsEngine;
  /** Unix seconds, by the device's clock. */
  readonly now: number;
  newToken(): Uint8Array;
}

/** Key packages that the device has published: private halves on its disk, public ones at the directory. */
export class SimulatedStock implements PackageStock {
  readonly #packages: Map<string, Stocked>;

  constructor(disk: Disk) {
    this.#packages = new Map([...disk.read(COLLECTION)].map(([key, bytes]) => [key, decodeRecord<Stocked>(bytes)]));
  }

  candidates(): readonly OwnKeyPackage[] {
    return [...this.#packages.values()];
  }

  /** True for one of last resort: it stays. */
  spend(used: OwnKeyPackage, journal: Journal): boolean {
    const [key, stocked] = [...this.#packages].find(([, each]) => Buffer.compare(each.publicBytes, used.publicBytes) === 0) ?? [];
    if (key === undefined || stocked?.lastResort === true) return stocked?.lastResort === true;
    this.#packages.delete(key);
    journal.remove(COLLECTION, key);
    return false;
  }

  /** Makes what is missing durable, and publishes it when it is. */
  async topUp(publisher: Publisher, oneTime: number, directory: Directory, journal: Journal): Promise<void> {
    const { account, device } = publisher;
    const left = directory.count(account, device);
    const made: Stocked[] = [];
    for (let missing = oneTime - left.oneTime; missing > 0; missing--) made.push(await this.#make(publisher, false, journal));
    if (!left.lastResort) made.push(await this.#make(publisher, true, journal));
    if (made.length === 0) return;
    const published = made.map(({ publicBytes: bytes, lastResort }) => ({ bytes, lastResort }));
    journal.afterwards(() => directory.publish(account, device, published));
  }

  async #make({ engine, now, newToken }: Publisher, lastResort: boolean, journal: Journal): Promise<Stocked> {
    const lifetime = { notBefore: now - SKEW_SECONDS, notAfter: now + LIFETIME_SECONDS };
    const { publicBytes, privateBytes, reference } = await engine.generateKeyPackage({ token: newToken(), lifetime, lastResort });
    const stocked = { publicBytes, privateBytes, lastResort };
    const key = Buffer.from(reference).toString('hex');
    this.#packages.set(key, stocked);
    journal.put(COLLECTION, key, stocked);
    return stocked;
  }
}
