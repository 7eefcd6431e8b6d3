import { jest } from '@jest/globals';
import type { ClientEvents } from '../client-events.js';
import { openPeer, PeerDoor } from '../node/index.js';
import { MemoryStore } from '../storage/memory.store.js';
import type { NewPeer, PeerClient, PeerOptions } from './peer-client.js';

export const HOST = '127.0.0.1';
/** Longer than anything takes on a busy machine. */
const PATIENCE_MS = 60_000;

// Whoever waits in vain says for what, before the test is given up.
jest.setTimeout(2 * PATIENCE_MS);

/** A peer, and all that it heard. */
export class Person {
  readonly events: { readonly name: keyof ClientEvents; readonly value: unknown }[] = [];
  /** Why others were not let in. */
  readonly refused: Error[] = [];
  door: PeerDoor | undefined;
  readonly #waiting = new Set<() => void>();

  private constructor(
    readonly client: PeerClient,
    /** About whom the user was asked. */
    readonly asked: readonly NewPeer[],
  ) {
    for (const name of ['state', 'contact', 'presence', 'message', 'message-changed', 'delivery', 'problem'] as const)
      client.on(name, (value) => this.#heard(name, value));
  }

  /** Trusts everybody whom it reaches, unless `options` say otherwise. */
  static async called(name: string, options: Partial<PeerOptions> = {}): Promise<Person> {
    const asked: NewPeer[] = [];
    const onNewPeer = (peer: NewPeer) => asked.push(peer) > 0;
    const person = new Person(await openPeer({ name, store: new MemoryStore(), onNewPeer, ...options }), asked);
    people.push(person);
    return person;
  }

  /** Returns the address for others. */
  async listens(port = 0): Promise<string> {
    this.door = await PeerDoor.open(this.client, { host: HOST, port }, (error) => {
      this.refused.push(error);
      this.#wake();
    });
    return `ws://${HOST}:${this.door.port}`;
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    const late = Date.now() + PATIENCE_MS;
    while (!isSo()) {
      if (Date.now() > late)
        throw new Error(`${this.client.account.name} waited in vain: ${what}. Heard last: ${JSON.stringify(this.events.slice(-8))}`);
      await this.#anything();
    }
  }

  /** All events of a kind. */
  of<Name extends keyof ClientEvents>(name: Name): ClientEvents[Name][] {
    return this.events.filter((event) => event.name === name).map(({ value }) => value as ClientEvents[Name]);
  }

  get texts(): string[] {
    return this.of('message').map(({ text }) => text);
  }

  get state(): ClientEvents['state'] | undefined {
    return this.of('state').at(-1);
  }

  reads(text: string): Promise<void> {
    return this.until(`"${text}"`, () => this.texts.includes(text));
  }

  sees(name: string, online = true): Promise<void> {
    return this.until(`${name} ${online ? 'there' : 'gone'}`, () =>
      this.client.contacts().some((contact) => contact.name === name && contact.online === online),
    );
  }

  statusOf(id: string): string | undefined {
    return this.of('delivery').findLast((each) => each.id === id)?.status;
  }

  delivers(id: string): Promise<void> {
    return this.until(`${id} delivered`, () => this.statusOf(id) === 'delivered');
  }

  async leaves(): Promise<void> {
    this.door?.close();
    await this.client.close();
  }

  /** An event, or a little while. */
  async #anything(): Promise<void> {
    const heard = new Promise<void>((resolve) => this.#waiting.add(resolve));
    const timer = setTimeout(() => this.#wake(), 100);
    await heard;
    clearTimeout(timer);
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }

  #heard(name: keyof ClientEvents, value: unknown): void {
    this.events.push({ name, value });
    this.#wake();
  }
}

const people: Person[] = [];

/** Everybody who was called in this test. */
export async function allLeave(): Promise<void> {
  for (const person of people.splice(0)) await person.leaves();
}
