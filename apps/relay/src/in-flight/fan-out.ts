import type { RelayPorts } from './relay-ports.js';

/** Gathers by gateway where one payload goes, so that it crosses the bus once for each gateway and not once for each recipient. */
export class FanOut {
  private readonly recipients = new Map<number, number[]>();

  add(gateway: number, connection: number, delivery: number): void {
    const there = this.recipients.get(gateway);
    if (there === undefined) this.recipients.set(gateway, [connection, delivery]);
    else there.push(connection, delivery);
  }

  sendTo(ports: Pick<RelayPorts, 'deliver'>, payload: Uint8Array): void {
    for (const [gateway, recipients] of this.recipients) ports.deliver(gateway, payload, recipients);
  }
}
