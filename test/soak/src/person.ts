import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientEvents, SottoClient } from '@sotto/client';
import { openClient, SqliteStore } from '@sotto/client/node';
import { toHex } from '@sotto/protocol';
import { temporaryFolder } from '@sotto/testing';
import type { Topology } from '../../harness/dist/index.js';

const PASSWORD = 'correct horse battery staple';
const COME_AGAIN_MS = 500;

/** Somebody with one device, who comes and goes, and remembers every text that was shown. */
export class Person {
  readonly shown: string[] = [];
  readonly problems: ClientEvents['problem'][] = [];
  state: ClientEvents['state']['state'] | undefined;
  #client: SottoClient | undefined;
  /** Coming and going take their turns. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(
    readonly name: string,
    private readonly server: Topology,
    private readonly folder: string,
  ) {}

  static async registers(name: string, server: Topology): Promise<Person> {
    const person = new Person(name, server, await temporaryFolder(name));
    const client = await person.#open();
    await client.register(name, PASSWORD, await server.createInvite(name));
    return person;
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
    client.on('state', ({ state }) => (this.state = state));
    this.#client = client;
    return client;
  }
}
