import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ClientEvents, MemoryStore, type PeerClient } from '@sotto/client';
import { openPeer, PeerDoor } from '@sotto/client/node';
import { ClientHandshake, makeGatewayKey, ready, type SealedChannel, ServerHandshake, signCertificate } from '@sotto/channel';
import { fromHex, toHex } from '@sotto/protocol';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { RecordingProxy, saysInClear } from './recording-proxy.js';

const SUBPROTOCOL = 'sotto.peer.v1';
const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function peer(name: string): Promise<PeerClient> {
  const client = await openPeer({ name, store: new MemoryStore(), onNewPeer: () => true });
  open.push(client);
  return client;
}

async function doorOf(client: PeerClient): Promise<{ url: string; refused: Error[] }> {
  const refused: Error[] = [];
  const door = await PeerDoor.open(client, { host: '127.0.0.1', port: 0 }, (error) => refused.push(error));
  open.push(door);
  return { url: `ws://127.0.0.1:${door.port}`, refused };
}

function next<Name extends keyof ClientEvents>(client: PeerClient, event: Name): Promise<ClientEvents[Name]> {
  return new Promise((resolve) => client.on(event, resolve));
}

describe('what crosses the wire between two peers', () => {
  it('holds no name, no key, no id and no text', async () => {
    const [alice, bob] = [await peer('alice_at_home'), await peer('bob_the_builder')];
    const proxy = await RecordingProxy.before((await doorOf(alice)).url);
    open.push(proxy);
    const text = 'the eagle has landed at seven';
    await bob.connect(proxy.url);
    const arrived = next(alice, 'message');
    const answered = next(bob, 'message');
    await bob.send('alice_at_home', text);
    expect((await arrived).text).toBe(text);
    await alice.send('bob_the_builder', `${text} indeed`);
    expect((await answered).text).toBe(`${text} indeed`);

    expect(proxy.read.length).toBeGreaterThan(2_000);
    const keys = [...alice.contacts(), ...bob.contacts()].map(({ name, identityKey }) => [`key of ${name}`, identityKey] as const);
    const ids = [alice, bob].map(({ pin }) => fromHex(pin)).flatMap((pin) => [pin.subarray(0, 16), pin.subarray(16)]);
    const secrets = Object.fromEntries([
      ...['alice_at_home', 'bob_the_builder', text].map((each) => [each, each] as const),
      ...keys,
      ...ids.map((id) => [`id ${toHex(id)}`, id] as const),
    ]);
    expect(proxy.found(secrets)).toEqual([]);
    // The search can fail: what a dialer says in clear is found.
    await saysInClear(proxy.url, SUBPROTOCOL, secrets);
    expect(proxy.found(secrets)).toEqual(Object.keys(secrets));
  });
});

/** Has a channel of her own with each end, and passes on what she reads from one to the other. */
class Mallory {
  readonly read: Uint8Array[] = [];
  readonly #server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => SUBPROTOCOL });

  private constructor(private readonly target: string) {
    this.#server.on('connection', (socket) => void this.#between(socket));
  }

  static async before(target: string): Promise<Mallory> {
    await ready();
    const mallory = new Mallory(target);
    await once(mallory.#server, 'listening');
    open.push(mallory);
    return mallory;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }

  async #between(dialer: WebSocket): Promise<void> {
    const { publicKey, secretKey } = makeGatewayKey();
    const now = BigInt(Math.floor(Date.now() / 1_000));
    const body = { gatewayKey: publicKey, identityKey: publicKey, notBefore: now - 9n, notAfter: now + 99n };
    const handshake = await ServerHandshake.start({ certificate: signCertificate(body, secretKey), gatewaySigningKey: secretKey });
    dialer.send(handshake.hello);
    const [clientHello] = (await once(dialer, 'message')) as [Buffer];
    const toDialer = await handshake.accept(clientHello);
    const listener = new WebSocket(this.target, SUBPROTOCOL);
    const [hello] = (await once(listener, 'message')) as [Buffer];
    const answer = await ClientHandshake.answer(hello, { pin: undefined, now: Date.now() / 1_000 });
    this.#pass(listener, answer.channel, dialer, toDialer);
    this.#pass(dialer, toDialer, listener, answer.channel);
    listener.send(answer.clientHello);
  }

  #pass(from: WebSocket, opens: SealedChannel, to: WebSocket, seals: SealedChannel): void {
    from.on('message', (box: RawData) => {
      const frames = opens.open(box as Buffer);
      this.read.push(frames);
      to.send(seals.seal(frames));
    });
    from.on('close', () => to.close());
    from.on('error', () => to.terminate());
  }
}

describe('somebody between two peers', () => {
  it('with channels of her own is found out before the dialer says who it is', async () => {
    const [alice, bob] = [await peer('alice'), await peer('bob_the_builder')];
    const { url } = await doorOf(alice);
    const mallory = await Mallory.before(url);
    const state = new Promise<ClientEvents['state']>((resolve) =>
      bob.on('state', (each) => (each.state === 'connecting' ? undefined : resolve(each))),
    );
    await bob.connect(mallory.url);
    expect(await state).toMatchObject({ state: 'refused', cause: expect.stringContaining('somebody may stand between you') });
    // She did get the listener's proof, which is good on her channel alone.
    expect(mallory.read).toHaveLength(1);
    expect(mallory.read.some((frames) => Buffer.from(frames).includes('bob_the_builder'))).toBe(false);
    expect([alice, bob].map((each) => each.contacts())).toEqual([[], []]);
    await bob.connect(url);
    expect(bob.contacts().map(({ name }) => name)).toEqual(['alice']);
  });
});
