import { create, toBinary } from '@bufbuild/protobuf';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BUS, type Bus, type Subscription } from '@sotto/platform/bus';
import { steadyNow } from '@sotto/platform/clock';
import { fromHex } from '@sotto/protocol';
import { DeviceChangedSchema } from '@sotto/protocol/internal';
import type { AttachedSession } from './attached-session.js';

/** A broker that is gone is noticed within six seconds (NatsBus): what was published in them may be lost. */
const DOUBTFUL_MS = 10_000;

interface News {
  readonly payload: Uint8Array;
  /** By `steadyNow`. */
  readonly toldAt: number;
}

/** Tells relays and contacts who came and who went. What the broker may not have carried is told once more when it is back. */
@Injectable()
export class DeviceNews implements OnApplicationBootstrap, OnApplicationShutdown {
  /** The last of each device, in the order of telling: one for each that came or went in the last seconds, or while the broker was away. */
  private readonly doubtful = new Map<string, News>();
  private subscription: Subscription | undefined;
  private forgetting: NodeJS.Timeout | undefined;

  constructor(@Inject(BUS) private readonly bus: Bus) {}

  onApplicationBootstrap(): void {
    this.subscription = this.bus.onStatus((connected) => (connected ? this.tellAgain() : clearTimeout(this.forgetting)));
  }

  onApplicationShutdown(): void {
    this.subscription?.unsubscribe();
    clearTimeout(this.forgetting);
    this.doubtful.clear();
  }

  tell({ account, device, route }: AttachedSession, online: boolean): void {
    const { gateway, connection, invisible } = route!;
    const changed = { account: fromHex(account), device: fromHex(device), online, gateway, connection, invisible };
    this.publish(device, toBinary(DeviceChangedSchema, create(DeviceChangedSchema, changed)));
  }

  private publish(device: string, payload: Uint8Array): void {
    this.bus.publish('device.changed', payload);
    this.doubtful.delete(device);
    this.doubtful.set(device, { payload, toldAt: steadyNow() });
    if (this.doubtful.size === 1 && this.bus.connected) this.forgetLater();
  }

  private tellAgain(): void {
    const told = [...this.doubtful];
    this.doubtful.clear();
    for (const [device, { payload }] of told) this.publish(device, payload);
  }

  private forgetLater(): void {
    clearTimeout(this.forgetting);
    this.forgetting = setTimeout(() => this.forget(), DOUBTFUL_MS).unref();
  }

  private forget(): void {
    const since = steadyNow() - DOUBTFUL_MS;
    for (const [device, { toldAt }] of this.doubtful) {
      if (toldAt > since) break;
      this.doubtful.delete(device);
    }
    if (this.doubtful.size > 0) this.forgetLater();
  }
}
