import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Accounts, Sessions } from '@sotto/protocol';
import { type ClientOptions, WebSocket } from 'ws';
import { type Server, startServer } from '../harness/dist/index.js';
import { describeMainlyOn, itMainlyOn } from './topologies.js';
import { registerRequest, WireClient } from './wire-client.js';

const PLACES = 3;
const HANDSHAKES = 5;
/** A client whose own address counts: it is no proxy that the server trusts. */
const NO_PROXY = '127.0.0.2';

/** As if a proxy forwarded for that address. */
function from(address: string) {
  return { headers: { 'x-forwarded-for': address } };
}

function closing(socket: WebSocket): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) => socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })));
}

/** Tries until it is let in: the server hears of a leaving client a little later. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!/closed with 1013/.test(String(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Says nothing after the upgrade; resolves with the server's hello read. */
async function silent(url: string, address: string): Promise<WebSocket> {
  const socket = new WebSocket(url, 'sotto.v1', from(address));
  const end = closing(socket);
  const why = await Promise.race([once(socket, 'message').then(() => undefined), end]);
  if (why !== undefined) throw new Error(`closed with ${why.code} ${why.reason}`);
  return socket;
}

describe.each(['standalone', 'services'] as const)('the door of %s', (kind) => {
  const itOnStandalone = itMainlyOn('standalone', kind);
  let server: Server;

  const enter = (options: ClientOptions) => WireClient.connect(server.url, server.pin, options);

  beforeAll(async () => {
    const limits = { ANONYMOUS_PER_ADDRESS: PLACES, HANDSHAKES_AT_ONCE: HANDSHAKES, HANDSHAKE_SECONDS: 120, LOG_IN_SECONDS: 120 };
    const env = Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, String(value)]));
    server = await startServer(kind, { env: { ...env, TRUSTED_PROXIES: '127.0.0.1' } });
  }, 180_000);

  afterAll(async () => {
    await server?.stop();
  }, 30_000);

  async function logIn(client: WireClient, name: string): Promise<void> {
    const session = await client.call(Accounts.method.register, registerRequest(client, name, await server.createInvite(name)));
    await client.call(Sessions.method.attach, { accessToken: session.accessToken, deliveryKey: new Uint8Array(32) });
  }

  it('lets an address have so many connections that have not logged in, and another address as many', async () => {
    const guests = await Promise.all(Array.from({ length: PLACES }, () => enter(from('10.0.0.1'))));
    await expect(enter(from('10.0.0.1'))).rejects.toThrow(/1013.*from this address/);
    guests.push(await enter(from('10.0.0.2')));
    await guests[0]!.close();
    guests.push(await eventually(() => enter(from('10.0.0.1'))));
    await expect(enter(from('10.0.0.1'))).rejects.toThrow(/1013/);
    await Promise.all(guests.map((guest) => guest.close()));
  });

  it('counts those no more who have logged in', async () => {
    const members = [];
    for (const name of ['alice', 'bob', 'carol', 'dave']) {
      const client = await enter(from('10.0.1.1'));
      await logIn(client, name);
      members.push(client);
    }
    expect(members.length).toBeGreaterThan(PLACES);
    await Promise.all(members.map((member) => member.close()));
    const guests = await Promise.all(Array.from({ length: PLACES }, () => enter(from('10.0.1.1'))));
    await expect(enter(from('10.0.1.1'))).rejects.toThrow(/1013/);
    await Promise.all(guests.map((guest) => guest.close()));
  });

  itOnStandalone('takes the addresses of an IPv6 network for one', async () => {
    const guests = await Promise.all(Array.from({ length: PLACES }, (_, i) => enter(from(`2001:db8:0:1::${i + 1}`))));
    await expect(enter(from('2001:db8:0:1:ffff::9'))).rejects.toThrow(/1013/);
    guests.push(await enter(from('2001:db8:0:2::1')));
    await Promise.all(guests.map((guest) => guest.close()));
  });

  itOnStandalone('does not believe a client that forwards for others', async () => {
    const guests = await Promise.all(Array.from({ length: PLACES }, (_, i) => enter({ localAddress: NO_PROXY, ...from(`10.0.2.${i}`) })));
    await expect(enter({ localAddress: NO_PROXY, ...from('10.0.2.99') })).rejects.toThrow(/1013/);
    await Promise.all(guests.map((guest) => guest.close()));
  });

  it('has so many handshakes in progress, from everywhere together: the oldest that says nothing goes for another', async () => {
    const first = await silent(server.url, '10.0.3.1');
    const ended = closing(first);
    const others: WebSocket[] = [];
    for (let i = 1; i < HANDSHAKES; i++) others.push(await silent(server.url, `10.${i}.3.1`));
    await (await eventually(() => enter(from('10.100.3.1')))).close();
    expect(await ended).toMatchObject({ code: 1013, reason: expect.stringMatching(/handshakes/) });
    expect(others.at(-1)!.readyState).toBe(WebSocket.OPEN);
    for (const socket of others) socket.terminate();
  });

  it('drops TCP connections of an address beyond as many, though they say nothing', async () => {
    const { hostname, port } = new URL(server.url);
    const open: Socket[] = [];
    for (let i = 0; i < PLACES; i++) {
      open.push(connect({ host: hostname, port: Number(port), localAddress: NO_PROXY }));
      await once(open.at(-1)!, 'connect');
    }
    const refused = connect({ host: hostname, port: Number(port), localAddress: NO_PROXY });
    refused.on('error', () => undefined);
    await once(refused, 'close');
    for (const socket of open) socket.destroy();
    await eventually(async () => {
      const client = await enter({ localAddress: NO_PROXY }).catch((error: unknown) => {
        throw /ECONNRESET|hang up/.test(String(error)) ? new Error('closed with 1013') : error;
      });
      await client.close();
    });
  });
});

// The same gateway, which asks no other service for it.
describeMainlyOn('standalone')('the patience of %s', (kind) => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer(kind, { env: { HANDSHAKE_SECONDS: '1', LOG_IN_SECONDS: '1' } });
  }, 180_000);

  afterAll(async () => {
    await server?.stop();
  }, 30_000);

  it('ends with a TCP connection that says nothing', async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connect({ host: hostname, port: Number(port) });
    socket.resume();
    await once(socket, 'close');
  }, 30_000);

  it('ends with a handshake that is not answered', async () => {
    const socket = await silent(server.url, '127.0.0.1');
    expect((await closing(socket)).code).toBe(4_002);
  }, 30_000);

  it('ends with who does not log in, though they send pings', async () => {
    const client = await WireClient.connect(server.url, server.pin);
    const pings = setInterval(() => client.send({ case: 'ping', value: { nonce: 1 } }), 200);
    expect((await client.closed).code).toBe(4_002);
    clearInterval(pings);
  }, 30_000);
});
