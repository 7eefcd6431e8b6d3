import { beforeEach, describe, expect, it } from '@jest/globals';
import type { DescMethodUnary } from '@bufbuild/protobuf';
import type { MlsEngine } from '@sotto/mls';
import { KeyPackages, LIMITS, toHex } from '@sotto/protocol';
import type { Link } from '../connection/link.js';
import { sodiumReady } from '../sodium.js';
import { Journal } from '../storage/journal.js';
import { MemoryStore } from '../storage/memory.store.js';
import { KeyPackageStock, type StockedKeyPackage } from './key-package-stock.js';

interface Published {
  readonly keyPackage: Uint8Array;
  readonly capability: Uint8Array;
}

/** What the directory does for one device, and packages that are a number each. */
class World {
  lastResort: Published | undefined;
  oneTime: Published[] = [];
  readonly stock = new KeyPackageStock(new Map<string, StockedKeyPackage>(), new Uint8Array(32));
  readonly journal = new Journal(new MemoryStore());
  #made = 0;

  readonly link = {
    call: (method: DescMethodUnary, request: { oneTime: Published[]; lastResort?: Published }) => {
      if (method === KeyPackages.method.publish) {
        this.oneTime.push(...request.oneTime);
        this.lastResort = request.lastResort ?? this.lastResort;
      } else if (method === KeyPackages.method.clear) {
        this.oneTime = [];
        this.lastResort = undefined;
      }
      return Promise.resolve({ left: this.oneTime.length, hasLastResort: this.lastResort !== undefined });
    },
  } as unknown as Link;

  readonly engine = {
    generateKeyPackage: () => {
      const bytes = new Uint8Array([++this.#made]);
      return Promise.resolve({ publicBytes: bytes, privateBytes: bytes });
    },
  } as unknown as MlsEngine;

  topUp(): Promise<void> {
    return this.stock.topUp(this.link, this.engine, this.journal);
  }

  /** The program starts again, on what it has kept. */
  restarted(): World {
    const again = new World();
    for (const [capability, each] of this.stock.packages) again.stock.packages.set(capability, each);
    again.lastResort = this.lastResort;
    again.oneTime = this.oneTime;
    again.#made = this.#made;
    return again;
  }

  spend({ capability }: Published): boolean {
    return this.stock.spend(this.stock.packages.get(toHex(capability))!, this.journal);
  }
}

describe('the stock of key packages', () => {
  let world: World;

  beforeEach(async () => {
    await sodiumReady();
    world = new World();
    await world.topUp();
  });

  it('is filled up, with one of last resort', () => {
    expect(world.oneTime).toHaveLength(LIMITS.oneTimeKeyPackages);
    expect(world.lastResort).toBeDefined();
  });

  it('loses a one-time package by the join that used it', () => {
    const [used] = world.oneTime;
    expect(world.spend(used!)).toBe(false);
    expect(world.stock.packages.has(toHex(used!.capability))).toBe(false);
  });

  it('has another of last resort published once one was used', async () => {
    const used = world.lastResort!;
    expect(world.spend(used)).toBe(true);
    await world.topUp();
    expect(world.lastResort).not.toBe(used);
    expect(world.stock.packages.has(toHex(used.capability))).toBe(true);
  });

  it('has another published also where one from before a restart was never used', async () => {
    const again = world.restarted();
    await again.topUp();
    const used = again.lastResort!;
    expect(used).not.toBe(world.lastResort);
    again.spend(used);
    await again.topUp();
    expect(again.lastResort).not.toBe(used);
  });

  it('has another published when the capability of the one that is published is revoked', async () => {
    const revoked = world.lastResort!;
    world.stock.discard([toHex(revoked.capability)], world.journal);
    await world.topUp();
    expect(world.lastResort).not.toBe(revoked);
  });

  it('publishes nothing while enough is there', async () => {
    const { lastResort } = world;
    await world.topUp();
    expect(world.lastResort).toBe(lastResort);
    expect(world.oneTime).toHaveLength(LIMITS.oneTimeKeyPackages);
  });
});
