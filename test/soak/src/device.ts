import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Approval, ClientEvents, SottoClient } from '@sotto/client';
import { openClient, SqliteStore } from '@sotto/client/node';
import { toHex } from '@sotto/protocol';
import { temporaryFolder } from '@sotto/testing';
import type { Topology } from '../../harness/dist/index.js';

const PASSWORD = 'correct horse battery staple';
const COME_AGAIN_MS = 500;

export type DeviceKind = 'phone' | 'tablet' | 'mailbox';

/** Comes and goes, and remembers every text that was shown. */
export class Device {
  readonly shown: string[] = [];
  readonly problems: ClientEvents['problem'][] = [];
  readonly approvals: Approval[] = [];
  state: ClientEvents['state']['state'] | undefined;
  #client: SottoClient | undefined;
  /** Coming and going take their turns. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(
    /** Of its account. */
    readonly owner: string,
    readonly kind: DeviceKind,
    private readonly server: Topology,
    private readonly folder: string,
  ) {}

  static async registers(owner: string, server: Topology): Promise<Device> {
    const device = await Device.#made(owner, 'phone', server);
    await device.client!.register(owner, PASSWORD, await server.createInvite(owner));
    return device;
  }

  /** Waits to be let in. */
  static async logsIn(owner: string, kind: DeviceKind, server: Topology): Promise<Device> {
    const device = await Device.#made(owner, kind, server);
    await device.client!.logIn(owner, PASSWORD);
    return device;
  }

  static async #made(owner: string, kind: DeviceKind, server: Topology): Promise<Device> {
    const device = new Device(owner, kind, server, await temporaryFolder(owner));
    await device.#open();
    return device;
  }

  get name(): string {
    return `${this.owner}'s ${this.kind}`;
  }

  /** A mailbox stays online, and nobody writes on it. */
  get isMailbox(): boolean {
    return this.kind === 'mailbox';
  }

  /** Undefined while away. */
  get client(): SottoClient | undefined {
    return this.#client;
  }

  leave(): Promise<void> {
    return (this.#turn = this.#turn.then(async () => {
      const client = this.#client;
      this.#client = undefined;
      await client?.close();
    }));
  }

  /** Resolves once connected: as long as the server is away, it is tried again. */
  come(): Promise<void> {
    return (this.#turn = this.#turn.then(async () => {
      if (this.#client !== undefined) return;
      const client = await this.#open();
      while (!(await client.resume().catch(() => false))) await sleep(COME_AGAIN_MS);
    }));
  }

  async #open(): Promise<SottoClient> {
    const store = await SqliteStore.open(join(this.folder, 'device.db'), PASSWORD);
    const client = await openClient({ url: this.server.url, pin: toHex(this.server.pin), store });
    client.on('message', ({ text }) => this.shown.push(text ?? ''));
    client.on('problem', (problem) => this.problems.push(problem));
    client.on('approval', (approval) => this.approvals.push(approval));
    client.on('state', ({ state }) => (this.state = state));
    this.#client = client;
    return client;
  }
}
