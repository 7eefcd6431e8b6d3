import { FanOut } from './fan-out.js';
import type { Delivery, DeviceEntry, Endpoint, InFlightMessage } from './message.js';
import type { RelayPorts } from './relay-ports.js';

interface Part {
  readonly payload: Uint8Array;
  readonly fanOut: FanOut;
}

/** Deliveries that go out one by one within a turn of the event loop, but cross the bus with their message: each device gets them in the order in which they were added. */
export class Gathering {
  private readonly parts: Part[] = [];
  /** Place of each message's last part. */
  private readonly placeOf = new Map<InFlightMessage, number>();
  /** Place of the last part for each device. */
  private readonly reached = new Map<DeviceEntry, number>();

  add({ message, to, number }: Delivery, { gateway, connection }: Endpoint): void {
    let place = this.placeOf.get(message) ?? -1;
    if (place < (this.reached.get(to) ?? 0)) {
      place = this.parts.push({ payload: message.payload, fanOut: new FanOut() }) - 1;
      this.placeOf.set(message, place);
    }
    this.parts[place]!.fanOut.add(gateway, connection, number);
    this.reached.set(to, place);
  }

  sendTo(ports: Pick<RelayPorts, 'deliver'>): void {
    for (const { payload, fanOut } of this.parts) fanOut.sendTo(ports, payload);
  }
}
