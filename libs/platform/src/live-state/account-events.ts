import { create, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { fromHex, type EventSchema } from '@sotto/protocol';
import { GatewayEventSchema } from '@sotto/protocol/internal';
import type { Bus } from '../bus/bus.js';
import { gatewayEventSubject } from '../leases/incarnation.js';
import type { DeviceRouteStore } from './device-route.store.js';
import type { LeaseStore } from './lease.store.js';

/** Tells connected devices of an account something, at most once. Who is away learns it at its next connection, by asking. */
export class AccountEvents {
  constructor(
    private readonly bus: Bus,
    private readonly routes: DeviceRouteStore,
    private readonly leases: LeaseStore,
  ) {}

  async toAccount(account: string, event: MessageInitShape<typeof EventSchema>): Promise<void> {
    const devices = await this.routes.connectedDevices(account);
    const gateways = new Set(devices.map(({ gateway }) => gateway));
    for (const gateway of gateways) this.publish(gateway, account, '', event);
  }

  /** Also pending devices, which have no route: asks every gateway. For what is rare. */
  async toPendingToo(account: string, event: MessageInitShape<typeof EventSchema>): Promise<void> {
    for (const gateway of await this.leases.alive('gateway')) this.publish(gateway, account, '', event);
  }

  async toDevice(account: string, device: string, event: MessageInitShape<typeof EventSchema>): Promise<void> {
    (await this.reach(account, device))(event);
  }

  /** For whom looking a device up must not depend on there being something to tell it: what is returned tells it without waiting. */
  async reach(account: string, device: string): Promise<(event: MessageInitShape<typeof EventSchema>) => void> {
    const route = await this.routes.find(device);
    const gateway = route?.account === account ? route.gateway : 0;
    return (event) => {
      if (gateway !== 0) this.publish(gateway, account, device, event);
    };
  }

  private publish(gateway: number, account: string, device: string, event: MessageInitShape<typeof EventSchema>): void {
    const message = create(GatewayEventSchema, { account: fromHex(account), device: fromHex(device), event });
    this.bus.publish(gatewayEventSubject(gateway), toBinary(GatewayEventSchema, message));
  }
}
