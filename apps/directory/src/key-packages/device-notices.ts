import { Injectable, Logger } from '@nestjs/common';
import { AccountEvents } from '@sotto/platform/live-state';
import { fromHex } from '@sotto/protocol';
import type { TakenCapability, TakenKeyPackage } from './key-package.store.js';

/** What devices hear of their stock. One that misses it learns the same when it connects. */
@Injectable()
export class DeviceNotices {
  private readonly logger = new Logger(DeviceNotices.name);

  constructor(private readonly events: AccountEvents) {}

  /**
   * Tells the devices whose packages were handed out what there is to tell. Takes the same look-ups whether something was revoked or not, and
   * is done before the claim is answered: gateway and relays know of a revocation before a first message can arrive.
   */
  async handedOut(account: string, taken: readonly TakenKeyPackage[]): Promise<void> {
    await Promise.all(taken.map((one) => this.tolerate(this.tellOf(account, one))));
  }

  async revoked(account: string, revoked: readonly TakenCapability[]): Promise<void> {
    const byDevice = new Map<string, Uint8Array[]>();
    for (const { device, capability } of revoked) byDevice.set(device, [...(byDevice.get(device) ?? []), fromHex(capability)]);
    const told = [...byDevice].map(([device, capabilities]) =>
      this.events.toDevice(account, device, { kind: { case: 'capabilitiesRevoked', value: { capabilities } } }),
    );
    await this.tolerate(Promise.all(told));
  }

  private async tellOf(account: string, { device, capability, left, ranLow, lastResort, revoked }: TakenKeyPackage): Promise<void> {
    const tell = await this.events.reach(account, device);
    // First: a device that has let go of its last-resort package publishes another when it hears that it runs low.
    if (revoked) tell({ kind: { case: 'capabilitiesRevoked', value: { capabilities: [fromHex(capability)] } } });
    if (ranLow || lastResort) tell({ kind: { case: 'keyPackagesLow', value: { left } } });
  }

  private async tolerate(telling: Promise<unknown>): Promise<void> {
    await telling.catch((error: unknown) => this.logger.warn(`a device was not told: ${error instanceof Error ? error.name : 'unknown'}`));
  }
}
