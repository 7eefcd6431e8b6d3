import { join } from 'node:path';
import {
  type Approval,
  type Change,
  type ClientEvents,
  type DeliveryStatus,
  MemoryStore,
  type Message,
  type SottoClient,
  type Store,
} from '@sotto/client';
import { openClient, SqliteStore } from '@sotto/client/node';
import { toHex } from '@sotto/protocol';
import { temporaryFolder } from '@sotto/testing';
import { PASSWORD } from './wire-client.js';

interface Server {
  readonly url: string;
  readonly pin: Uint8Array;
  createInvite(name?: string): Promise<string>;
}

/** Someone with one device, who can leave and come back. Remembers all that the SDK told. */
export class Person {
  readonly inbox: Message[] = [];
  readonly deliveries: { id: string; status: DeliveryStatus }[] = [];
  readonly problems: ClientEvents['problem'][] = [];
  readonly states: ClientEvents['state'][] = [];
  readonly approvals: Approval[] = [];
  readonly changes: ClientEvents['message-changed'][] = [];
  readonly typing: ClientEvents['typing'][] = [];
  readonly reads: ClientEvents['read'][] = [];
  /** Sees what a step changes before it is durable. What leaves the device by that step waits for it. */
  beforeCommit: ((changes: readonly Change[]) => Promise<void>) | undefined;
  private open: SottoClient | undefined;

  private constructor(
    readonly name: string,
    private readonly server: Server,
    readonly folder: string,
    private readonly openStore = (): Promise<Store> => SqliteStore.open(join(folder, 'device.db'), PASSWORD),
  ) {}

  static async registers(server: Server, name: string, via: Server = server): Promise<Person> {
    return Person.#registered(new Person(name, via, await temporaryFolder(name)), server);
  }

  /** One of many, who never comes back after leaving: nothing is kept. */
  static registersForNow(server: Server, name: string): Promise<Person> {
    return Person.#registered(new Person(name, server, '', async () => new MemoryStore()), server);
  }

  static async #registered(person: Person, server: Server): Promise<Person> {
    const { name } = person;
    const invite = await server.createInvite(name);
    await person.opensStore();
    await person.sdk.register(name, PASSWORD, invite);
    return person;
  }

  /** With another device of the account, which is pending. */
  static async logsIn(server: Server, name: string): Promise<Person> {
    const person = new Person(name, server, await temporaryFolder(name));
    await person.opensStore();
    await person.sdk.logIn(name, PASSWORD);
    return person;
  }

  /** With a store that is there, and has not logged in. */
  static async comesFrom(server: Server, name: string, folder: string): Promise<Person> {
    const person = new Person(name, server, folder);
    await person.opensStore();
    return person;
  }

  get sdk(): SottoClient {
    if (this.open === undefined) throw new Error(`${this.name} is away`);
    return this.open;
  }

  async leaves(): Promise<void> {
    const sdk = this.open;
    this.open = undefined;
    await sdk?.close();
  }

  async returns(): Promise<void> {
    await this.opensStore();
    await this.sdk.resume();
  }

  statusesOf(id: string): DeliveryStatus[] {
    return this.deliveries.filter((each) => each.id === id).map(({ status }) => status);
  }

  /** From a contact, or from somebody who is none and calls itself that (see nameOf). */
  textsFrom(name: string): string[] {
    return this.inbox.filter(({ from }) => from === name || from.startsWith(`${name}~`)).map(({ text }) => text);
  }

  private async opensStore(): Promise<void> {
    this.open = await openClient({ url: this.server.url, pin: toHex(this.server.pin), store: this.#watched(await this.openStore()) });
    this.open.on('message', (message) => this.inbox.push(message));
    this.open.on('delivery', (delivery) => this.deliveries.push(delivery));
    this.open.on('problem', (problem) => this.problems.push(problem));
    this.open.on('state', (state) => this.states.push(state));
    this.open.on('approval', (approval) => this.approvals.push(approval));
    this.open.on('message-changed', (change) => this.changes.push(change));
    this.open.on('typing', (typing) => this.typing.push(typing));
    this.open.on('read', (read) => this.reads.push(read));
  }

  #watched(store: Store): Store {
    return {
      load: (collection) => store.load(collection),
      get: (collection, keys) => store.get(collection, keys),
      commit: async (changes) => {
        await this.beforeCommit?.(changes);
        await store.commit(changes);
      },
      close: () => store.close(),
    };
  }
}

/** A second device of the account is let in by the first, as their users do it. */
export async function letIn(device: Person, by: Person): Promise<void> {
  await device.sdk.approvals.ask('another device');
  const stage = (person: Person, wanted: string) =>
    until(`${person.name} hears ${wanted}`, () => person.approvals.some((each) => each.stage === wanted));
  await stage(by, 'asked');
  const id = device.sdk.account!.device;
  await by.sdk.approvals.answer(id);
  await stage(by, 'compare');
  await stage(device, 'compare');
  const { code } = by.approvals.find((each) => each.stage === 'compare')!;
  await by.sdk.approvals.approve(id, code!);
  await device.sdk.approvals.approve(id, code!);
}

/** One asks, the other accepts; both know it and have each other online. */
export async function becomeContacts(asker: Person, other: Person): Promise<void> {
  await asker.sdk.requestContact(other.name);
  await until(`${other.name} sees the request`, () => contactOf(other, asker.name)?.status === 'requested');
  await other.sdk.accept(asker.name);
  await until(`${asker.name} sees the acceptance`, () => contactOf(asker, other.name)?.status === 'accepted');
}

export function contactOf(person: Person, name: string) {
  return person.sdk.contacts().find((contact) => contact.name === name);
}

/** Waits for what the other side, or time, brings about. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 20_000, detail = () => ''): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what} ${detail()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
