import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { SealedChannel } from '@sotto/channel';
import { LIMITS } from '@sotto/protocol';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { PeerDoor } from '../node/index.js';
import { PEER_SUBPROTOCOL } from './dialing.js';
import { newKeyPair } from '../sodium.js';
import { allLeave, HOST, Person } from './people.harness.js';
import { type PeerRole, prove } from './peer-identity.js';
import { framesOf, Stranger } from './strangers.harness.js';

const UPGRADE = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

let alice: Person;
let url: string;
const open: { close(): unknown }[] = [];

beforeEach(async () => {
  alice = await Person.called('alice');
  url = await alice.listens();
});

afterEach(async () => {
  jest.restoreAllMocks();
  for (const each of open.splice(0)) each.close();
  await allLeave();
});

async function stranger(): Promise<Stranger> {
  const caller = await Stranger.at(url);
  open.push(caller.socket);
  return caller;
}

async function tcp(): Promise<Socket> {
  const socket = connect(alice.door!.port, HOST).on('error', () => undefined);
  socket.resume();
  open.push({ close: () => socket.destroy() });
  await once(socket, 'connect');
  return socket;
}

/** From now on clocks show so much more. */
function later(ms: number): void {
  const { now } = Date;
  jest.spyOn(Date, 'now').mockImplementation(() => now() + ms);
}

function proof(role: PeerRole, binding: Uint8Array): Uint8Array {
  return framesOf({ case: 'peerProof', value: prove('mallory', newKeyPair(), role, binding) });
}

/** Behind it a field that nobody knows, which readers pass over. */
function withFiller(bytes: Uint8Array): Uint8Array {
  const filler = new Uint8Array(LIMITS.unprovenPeerBytes);
  // Field 15, length-delimited: 8,192 as a varint.
  return Buffer.concat([bytes, Uint8Array.of(0x7a, 0x80, 0x40), filler]);
}

/** The listener is as it was: it lets bob in. */
async function stillListens(): Promise<void> {
  const bob = await Person.called('bob');
  await bob.client.connect(url);
  await alice.sees('bob');
  await bob.client.send('alice', 'hello');
  await alice.reads('hello');
}

describe('what a stranger can send to a listener', () => {
  it.each([
    ['bytes that are no hello', () => Buffer.from('hello?')],
    ['words instead of bytes', () => 'hello?'],
    ['a hello of many kilobytes', () => Buffer.alloc(LIMITS.unprovenPeerBytes + 1)],
    ['more than a message may have', () => Buffer.alloc(LIMITS.boxBytes + 1)],
  ])('%s end its connection, and nothing else', async (_what, bytes) => {
    const { socket, closed } = await stranger();
    socket.send(bytes());
    await closed;
    await stillListens();
  });

  it.each([
    ['a box that does not open', () => Buffer.alloc(300)],
    ['a good proof in a box that is too large', (channel: SealedChannel) => channel.seal(withFiller(proof('peerDialer', channel.binding)))],
    ['a call before it has proven anything', (channel: SealedChannel) => channel.seal(framesOf({ case: 'call', value: { id: 1 } }))],
    ['a proof that is good for the other role', (channel: SealedChannel) => channel.seal(proof('peerListener', channel.binding))],
    ['a proof that is good on another channel', (channel: SealedChannel) => channel.seal(proof('peerDialer', new Uint8Array(32)))],
    [
      'a proof that is none',
      (channel: SealedChannel) => channel.seal(framesOf({ case: 'peerProof', value: { introduction: new Uint8Array(9) } })),
    ],
  ])('%s ends its connection, and nothing else', async (_what, box) => {
    const caller = await stranger();
    caller.socket.send(box(await caller.opensChannel()));
    await caller.closed;
    expect(alice.client.contacts()).toEqual([]);
    await stillListens();
  });

  it('is a bounded number of connections', async () => {
    const callers = await Promise.all(Array.from({ length: LIMITS.unprovenPeersPerAddress }, stranger));
    const late = new WebSocket(url, PEER_SUBPROTOCOL);
    open.push(late);
    expect((await once(late, 'close'))[0]).toBe(1013);
    for (const { socket } of callers) socket.close();
    await Promise.all(callers.map(({ closed }) => closed));
    await stillListens();
  });

  it('is ended for another when it has long had its turn', async () => {
    const callers = await Promise.all(Array.from({ length: LIMITS.unprovenPeersPerAddress }, stranger));
    later(3_000);
    const ended = Promise.race(callers.map(({ closed }) => closed));
    await stillListens();
    expect((await ended) as unknown[]).toEqual([1013, expect.anything()]);
    // Bob dials twice, as his user is asked in between.
    expect(callers.filter(({ socket }) => socket.readyState === WebSocket.OPEN).length).toBeGreaterThanOrEqual(callers.length - 2);
  });

  it('is a bounded number of TCP connections that say nothing, of which the oldest goes for another', async () => {
    const silent: Socket[] = [];
    for (let i = 0; i < LIMITS.unprovenPeersPerAddress; i++) silent.push(await tcp());
    await once(await tcp(), 'close');
    later(3_000);
    const ended = once(silent[0]!, 'close');
    await stillListens();
    await ended;
    expect(silent.slice(1).every(({ readyState }) => readyState === 'open')).toBe(true);
  });

  it.each([
    ['refused', ''],
    ['known to have made a bad box', `Sec-WebSocket-Protocol: ${PEER_SUBPROTOCOL}\r\n`],
  ])('holds nothing once it is %s, whether it answers or not', async (_what, header) => {
    const socket = await tcp();
    socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n${UPGRADE}${header}\r\n`);
    await once(socket, 'data');
    // A masked binary message of nothing (RFC 6455 § 5.2).
    if (header !== '') socket.write(Uint8Array.of(0x82, 0x80, 0, 0, 0, 0));
    await once(socket, 'end');
  });

  it('is given up when it sends pings and reads no answer', async () => {
    const { socket } = await stranger();
    socket.pause();
    for (let i = 0; i < 10_000; i++) socket.ping(Buffer.alloc(125));
    await alice.until('the connection ended', () => alice.refused.length > 0);
  });

  it('is given up when it says nothing', async () => {
    const { closed } = await stranger();
    await closed;
    expect(alice.refused).toMatchObject([{ reason: 'timeout' }]);
  });

  it('is nothing on another subprotocol', async () => {
    const socket = new WebSocket(url);
    open.push(socket);
    expect((await once(socket, 'close'))[0]).toBe(1002);
    const response = await fetch(url.replace('ws:', 'http:'));
    expect([response.status, await response.text()]).toEqual([426, 'This is a Sotto peer.\n']);
  });
});

describe('a dialer', () => {
  async function causeAt(address: string): Promise<string> {
    const bob = await Person.called('bob');
    await bob.client.connect(address);
    const { state } = bob;
    return state !== undefined && 'cause' in state ? `${state.state}: ${state.cause}` : String(state?.state);
  }

  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

  it('says what answers when it is no peer', async () => {
    const web = createServer((_, response) => response.end('hello')).listen(0, HOST);
    const websocket = new WebSocketServer({ port: 0, host: HOST, handleProtocols: () => false });
    const sotto = new WebSocketServer({ port: 0, host: HOST, handleProtocols: () => 'sotto.v1' });
    sotto.on('connection', (socket) => socket.send(Buffer.alloc(300)));
    const odd = createTcpServer((socket) => socket.end('SSH-2.0-something\r\n')).listen(0, HOST);
    const nobody = createTcpServer().listen(0, HOST);
    open.push(web, websocket, sotto, odd);
    for (const server of [web, websocket, sotto, odd, nobody]) if (server.address() === null) await once(server, 'listening');
    const free = portOf(nobody);
    nobody.close();
    expect(await causeAt(`ws://${HOST}:${portOf(web)}`)).toMatch(/^refused: a web server/);
    expect(await causeAt(`ws://${HOST}:${portOf(websocket)}`)).toMatch(/^refused: a WebSocket server/);
    expect(await causeAt(`ws://${HOST}:${portOf(sotto)}`)).toMatch(/^refused: a Sotto server/);
    expect(await causeAt(`ws://${HOST}:${portOf(odd)}`)).toMatch(/^refused: what answers there is no Sotto peer/);
    expect(await causeAt(`ws://${HOST}:${free}`)).toMatch(/^offline: nobody listens there/);
    expect(await causeAt('ws://nobody.invalid:7789')).toMatch(/^offline: (there is no such host|the name of the host)/);
  });

  it('gives up on who says nothing', async () => {
    const silent = createTcpServer(() => undefined).listen(0, HOST);
    open.push(silent);
    await once(silent, 'listening');
    expect(await causeAt(`ws://${HOST}:${portOf(silent)}`)).toMatch(/^offline: .*in time/);
  });
});

it('refuses a port that is in use', async () => {
  const at = { host: HOST, port: alice.door!.port };
  await expect(PeerDoor.open(alice.client, at, () => undefined)).rejects.toMatchObject({ reason: 'port-in-use' });
  const probe = connect(at.port, HOST);
  await once(probe, 'connect');
  probe.destroy();
});
