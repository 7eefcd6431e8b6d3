import { create } from '@bufbuild/protobuf';
import { AckSchema, fromHex, KeyPackages, type Outcome, SendSchema, toHex } from '@sotto/protocol';
import type { Device } from '../device.js';
import { CIPHER_SUITE } from '../key-packages/key-package-stock.js';
import type { Carrier } from './carrier.js';
import type { Claimed, OutgoingSend } from './messenger-ports.js';

/** Over the connection to the server. */
export class ServerCarrier implements Carrier {
  readonly directOnly = false;

  constructor(private readonly device: Device) {}

  send({ id, recipients, payload, slot }: OutgoingSend, ttl: number): void {
    const value = create(SendSchema, {
      id: fromHex(id),
      recipients: recipients.map(({ device, token }) => ({ device: fromHex(device), token })),
      payload,
      ttl,
      ...(slot && { slot: slot.slot, commitId: fromHex(slot.commit) }),
    });
    this.device.connection.link?.send({ case: 'send', value });
  }

  ack(handle: bigint, outcome: Outcome): void {
    this.device.connection.link?.send({ case: 'ack', value: create(AckSchema, { handle, outcome }) });
  }

  async claim(account: string): Promise<Claimed | undefined> {
    const answer = await this.device.connection.link?.call(KeyPackages.method.claim, {
      account: fromHex(account),
      cipherSuite: CIPHER_SUITE,
    });
    return answer?.keyPackages.map(({ device, keyPackage: bytes }) => ({ device: toHex(device), bytes }));
  }

  /** Attach is what tells the server. */
  withdrawn(): void {
    const { connection } = this.device;
    if (connection.link !== undefined) void connection.connect();
  }

  topUp(): void {
    void this.#topUp();
  }

  /** What fails is counted again at the next attach. */
  async #topUp(): Promise<void> {
    const { link } = this.device.connection;
    const { engine, stock } = this.device;
    if (link === undefined || engine === undefined) return;
    await this.device.step((journal) => stock.topUp(link, engine, journal)).catch((error: unknown) => this.device.failed(error));
  }
}
