import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { create, fromBinary, type Message as WireMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { makeGatewayKey, pinOf, ready, ServerHandshake, signCertificate } from '@sotto/channel';
import {
  type AttachRequest,
  type BlockContactRequest,
  type Call,
  CapabilitiesRevokedSchema,
  ContactsOutdatedSchema,
  ContactSchema,
  ContactState,
  DevicesChangedSchema,
  ErrorCode,
  type Event,
  FramesSchema,
  METHODS,
  type RegisterRequest,
  type RemoveContactRequest,
  type ResetIdentityRequest,
  type ResumeRequest,
  toHex,
} from '@sotto/protocol';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { nodeSocketFactory, openClient } from './node/index.js';
import { type SottoClient } from './sotto-client.js';
import { MemoryStore } from './storage/memory.store.js';

const CAPABILITY = new Uint8Array(16).fill(7);

let server: WebSocketServer;
let url: string;
let pin: string;
let client: SottoClient;
/** Name and request of every call that the server got. */
let calls: { name: string; request: WireMessage }[];
let identityKey: Uint8Array;
/** A method that is done, and whose answer is lost with the connection. */
let lost: string;
/** A method that was called too often. */
let refused: string;
/** What the server says at Attach that it has revoked. */
let revokedMeanwhile: Uint8Array[];
/** Rows of the contact list. */
let listed: MessageInitShape<typeof ContactSchema>[];
/** The account's, connected. None has published a key package. */
let otherDevices: Uint8Array[];
/** To the connection that was made last. */
let pushEvent: (kind: Event['kind']) => Promise<unknown>;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const requests = <T extends WireMessage>(name: string) => calls.filter((call) => call.name === name).map(({ request }) => request as T);
const credential = { body: Uint8Array.of(1), signature: new Uint8Array(64) };
const attachments = () => requests<AttachRequest>('sotto.v1.Sessions/Attach').map((each) => each.revokedCapabilities.map(toHex));

/** What the server answers, as far as this device asks. */
function answer(name: string): object {
  const session = {
    account: new Uint8Array(16).fill(1),
    device: new Uint8Array(16).fill(2),
    name: 'alice',
    accessToken: 'token',
    server: 'test',
  };
  const answers: Record<string, object> = {
    'sotto.v1.Accounts/LogIn': { ...session, identityKey, credential, pending: true },
    'sotto.v1.Accounts/ConfirmDevice': { ...session, identityKey, credential },
    'sotto.v1.Accounts/Register': { ...session, identityKey, credential },
    'sotto.v1.Accounts/ResetIdentity': { ...session, identityKey, credential },
    'sotto.v1.Accounts/Resume': { ...session, identityKey },
    'sotto.v1.Sessions/Attach': { heartbeatMs: 30_000, retryWindow: 30, revokedCapabilities: revokedMeanwhile },
    'sotto.v1.KeyPackages/Count': { left: 100, hasLastResort: true },
    'sotto.v1.Contacts/List': { contacts: listed },
    'sotto.v1.Accounts/ListDevices': { devices: otherDevices.map((device) => ({ device, online: true })) },
    'sotto.v1.Contacts/Block': { revokeCapabilities: [CAPABILITY] },
  };
  return answers[name] ?? {};
}

function reply({ id, method: name, body }: Call) {
  const { input, output } = METHODS.get(name)!.method;
  const request = fromBinary(input, body);
  calls.push({ name, request });
  if (name === 'sotto.v1.Accounts/Register' || name === 'sotto.v1.Accounts/ResetIdentity')
    identityKey = (request as RegisterRequest | ResetIdentityRequest).identityKey;
  if (name === refused)
    return { kind: { case: 'reply' as const, value: { id, error: { code: ErrorCode.RATE_LIMITED, text: 'Too many claims.' } } } };
  return {
    kind: { case: 'reply' as const, value: { id, body: toBinary(output, create(output, answer(name) as Record<string, unknown>)) } },
  };
}

function serve(socket: WebSocket, handshake: ServerHandshake): void {
  let opened: Promise<Awaited<ReturnType<typeof handshake.accept>>> | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  // One after the other: boxes may come in the same read as the ClientHello.
  socket.on('message', (data: Buffer) => {
    if (opened === undefined) {
      turn = opened = handshake.accept(data);
      return;
    }
    const channel = opened;
    turn = turn.then(async () => answerBox(socket, await channel, data));
    pushEvent = (kind) => {
      const frames = [{ kind: { case: 'event' as const, value: { kind } } }];
      return (turn = turn.then(async () => socket.send((await channel).seal(toBinary(FramesSchema, create(FramesSchema, { frames }))))));
    };
  });
  socket.send(handshake.hello);
}

function answerBox(socket: WebSocket, channel: Awaited<ReturnType<ServerHandshake['accept']>>, box: Buffer): void {
  const { frames } = fromBinary(FramesSchema, channel.open(box));
  if (frames.some(({ kind }) => kind.case === 'call' && kind.value.method === lost && reply(kind.value))) return socket.terminate();
  const replies = frames.flatMap(({ kind }) => (kind.case === 'call' ? [reply(kind.value)] : []));
  if (replies.length > 0) socket.send(channel.seal(toBinary(FramesSchema, create(FramesSchema, { frames: replies }))));
}

beforeEach(async () => {
  await ready();
  calls = [];
  lost = '';
  refused = '';
  revokedMeanwhile = [];
  listed = [];
  otherDevices = [];
  const identity = makeGatewayKey();
  const gateway = makeGatewayKey();
  pin = toHex(await pinOf(identity.publicKey));
  const notBefore = BigInt(Math.floor(Date.now() / 1_000) - 60);
  const named = { gatewayKey: gateway.publicKey, identityKey: identity.publicKey, notBefore, notAfter: notBefore + 3_600n };
  const certificate = signCertificate(named, identity.secretKey);
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on('connection', (socket) => {
    void ServerHandshake.start({ certificate, gatewaySigningKey: gateway.secretKey }).then((handshake) => serve(socket, handshake));
  });
  client = await openClient({ url, pin, store: new MemoryStore(), socket: nodeSocketFactory });
  await client.register('alice', 'a long password');
});

afterEach(async () => {
  await client.close();
  for (const each of server.clients) each.terminate();
  server.close();
});

const online = () =>
  new Promise<void>((resolve) => {
    const stop = client.on('state', ({ state }) => {
      if (state !== 'online') return;
      stop();
      resolve();
    });
  });

describe('a device that has an account', () => {
  it('comes back by its credential, not by a password, when its connection breaks', async () => {
    const back = online();
    for (const each of server.clients) each.terminate();
    await back;
    expect(requests('sotto.v1.Accounts/Register')).toHaveLength(1);
    const [resume] = requests<ResumeRequest>('sotto.v1.Accounts/Resume');
    expect([...resume!.credential!.body]).toEqual([...credential.body]);
    expect(resume!.proof).toHaveLength(64);
    expect(client.account).toMatchObject({ name: 'alice', pending: false });
  });

  it('asks again within seconds for key packages of another device of the account that has published none yet', async () => {
    await client.groups.create('tea', []);
    const claims = () => requests('sotto.v1.KeyPackages/Claim').length;
    while (claims() === 0) await pause(10);
    otherDevices = [new Uint8Array(16).fill(9)];
    await pushEvent({ case: 'devicesChanged', value: create(DevicesChangedSchema, {}) });
    const before = claims();
    while (claims() < before + 2) await pause(50);
  }, 30_000);

  it('says in words that it was too fast for the server with what nobody asked it to do', async () => {
    const told = new Promise((resolve) => client.on('problem', resolve));
    refused = 'sotto.v1.KeyPackages/Count';
    for (const each of server.clients) each.terminate();
    expect(await told).toEqual({ code: 'call-failed', text: expect.stringContaining('it goes on by itself') });
  });

  it('has the key of an account whose registration was never answered, and confirms itself when it logs in', async () => {
    const store = new MemoryStore();
    const late = await openClient({ url, pin, store, socket: nodeSocketFactory });
    lost = 'sotto.v1.Accounts/Register';
    await expect(late.register('late', 'a long password')).rejects.toMatchObject({ reason: 'offline' });
    expect(late.unanswered).toBe(true);
    lost = '';
    const again = await openClient({ url, pin, store, socket: nodeSocketFactory });
    expect(await again.logIn('late', 'a long password')).toMatchObject({ pending: false });
    expect(requests('sotto.v1.Accounts/ConfirmDevice')).toHaveLength(1);
    for (const each of [late, again]) await each.close();
  });

  it('asks again for the answer to its registration, and after a restart, by the same invite with the same keys', async () => {
    const store = new MemoryStore();
    const late = await openClient({ url, pin, store, socket: nodeSocketFactory });
    lost = 'sotto.v1.Accounts/Register';
    await expect(late.register('late', 'a long password', 'an invite')).rejects.toMatchObject({ reason: 'offline' });
    expect(late.unanswered).toBe(true);
    lost = '';
    const again = await openClient({ url, pin, store, socket: nodeSocketFactory });
    expect(await again.register('late', 'a long password', 'an invite')).toMatchObject({ pending: false });
    const other = await openClient({ url, pin, store: new MemoryStore(), socket: nodeSocketFactory });
    await other.register('late', 'a long password', 'an invite');
    const asked = requests<RegisterRequest>('sotto.v1.Accounts/Register').slice(1);
    const keys = asked.map((request) => toHex(request.identityKey) + toHex(request.deviceAuthKey));
    expect(keys).toHaveLength(4);
    expect(keys.slice(0, 3)).toEqual([keys[0], keys[0], keys[0]]);
    expect(keys[3]).not.toBe(keys[0]);
    for (const each of [late, again, other]) await each.close();
  });

  it('withdraws the key packages that speak of the account key that it has reset', async () => {
    await client.resetIdentity('a long password');
    while (requests('sotto.v1.KeyPackages/Clear').length === 0) await pause(10);
    const order = calls.map(({ name }) => name).filter((name) => /ResetIdentity|Clear/.test(name));
    expect(order).toEqual(['sotto.v1.Accounts/ResetIdentity', 'sotto.v1.KeyPackages/Clear']);
  });

  it('tells the server what a block revokes before the block resolves, and again at every later connection', async () => {
    expect(attachments()).toEqual([[]]);
    await client.block('bob');
    expect(attachments()).toEqual([[], [toHex(CAPABILITY)]]);
    const back = online();
    for (const each of server.clients) each.terminate();
    await back;
    expect(attachments().slice(1)).toEqual([[toHex(CAPABILITY)], [toHex(CAPABILITY)]]);
  });

  it('keeps what the server revoked, told by an event or at Attach, and asks for nothing more because of it', async () => {
    const [told, missed] = [new Uint8Array(16).fill(3), new Uint8Array(16).fill(4)];
    await pushEvent({ case: 'capabilitiesRevoked', value: create(CapabilitiesRevokedSchema, { capabilities: [told] }) });
    // Behind the event in the order of the client's steps.
    await client.requestContact('bob');
    revokedMeanwhile = [missed];
    for (const count of [2, 3]) {
      const back = online();
      for (const each of server.clients) each.terminate();
      await back;
      expect(attachments()).toHaveLength(count);
    }
    expect(attachments()).toEqual([[], [toHex(told)], [toHex(told), toHex(missed)]]);
  });

  it('takes no contact for lost because of an event that was on its way while the list was fetched', async () => {
    const told: string[] = [];
    client.on('contact', ({ status }) => told.push(status));
    const bob = { name: 'bob', account: new Uint8Array(16).fill(5), identityKey: new Uint8Array(32).fill(6), online: true };
    listed = [{ ...bob, state: ContactState.ACCEPTED }];
    await client.requestContact('bob');
    await pushEvent({ case: 'contact', value: create(ContactSchema, { name: 'bob', state: ContactState.PENDING }) });
    // Behind the event in the order of the client's steps.
    await client.requestContact('bob');
    expect(told).toEqual(['accepted']);
    // The list is what counts.
    listed = [{ name: 'bob', state: ContactState.PENDING }];
    await pushEvent({ case: 'contact', value: create(ContactSchema, { name: 'bob', state: ContactState.PENDING }) });
    await client.requestContact('carol');
    expect(told).toEqual(['accepted', 'pending']);
  });

  it('reads its contacts again when events may have been lost, and tells what it had not heard', async () => {
    const told: [string, boolean][] = [];
    client.on('presence', ({ name, online }) => told.push([name, online]));
    const contact = (name: string, n: number, online: boolean) => ({
      name,
      account: new Uint8Array(16).fill(n),
      identityKey: new Uint8Array(32).fill(n),
      state: ContactState.ACCEPTED,
      online,
    });
    listed = [contact('bob', 5, true), contact('carol', 6, false)];
    const back = online();
    for (const each of server.clients) each.terminate();
    await back;
    await client.requestContact('dave');
    const before = told.splice(0);
    listed = [contact('bob', 5, false), contact('carol', 6, true)];
    refused = 'sotto.v1.Contacts/List';
    const outdated = create(ContactsOutdatedSchema, { withinMs: 1 });
    await pushEvent({ case: 'contactsOutdated', value: outdated });
    await pushEvent({ case: 'contactsOutdated', value: outdated });
    while (requests('sotto.v1.Contacts/List').length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    refused = '';
    while (told.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(before).toEqual([['bob', true]]);
    expect(told).toEqual([
      ['bob', false],
      ['carol', true],
    ]);
  });

  it('names the capabilities of its groups when a contact ends, so that they stay good', async () => {
    await client.groups.create('tea', []);
    await client.block('bob');
    listed = [
      { name: 'carol', account: new Uint8Array(16).fill(6), identityKey: new Uint8Array(32).fill(6), state: ContactState.ACCEPTED },
    ];
    await client.remove('carol');
    const kept = [
      ...requests<BlockContactRequest>('sotto.v1.Contacts/Block'),
      ...requests<RemoveContactRequest>('sotto.v1.Contacts/Remove'),
    ];
    expect(kept.map(({ keepCapabilities }) => keepCapabilities.map(({ length }) => length))).toEqual([[16], [16]]);
  });
});

describe('what a device has written', () => {
  const changes: string[] = [];
  let store: MemoryStore;
  let tea: string;
  let hello: string;

  /** With a store that outlives the program. */
  async function opens(): Promise<SottoClient> {
    const opened = await openClient({ url, pin, store: Object.assign(store, { close: async () => undefined }), socket: nodeSocketFactory });
    opened.on('message-changed', ({ change }) => changes.push(change.what));
    return opened;
  }

  beforeEach(async () => {
    await client.close();
    changes.length = 0;
    store = new MemoryStore();
    client = await opens();
    await client.register('alice', 'a long password');
    tea = await client.groups.create('tea', []);
    hello = await client.send(tea, 'helo');
  });

  it('is as it was left after a restart, in its order', async () => {
    await client.edit(tea, hello, 'hello');
    await client.react(tea, hello, '☕');
    const reply = await client.groups.send(tea, '*yes*', { replyTo: hello, markdown: true });
    const slip = await client.send(tea, 'a slip');
    await client.delete(tea, slip);
    const before = await client.history(tea);
    await client.close();
    client = await opens();
    expect(await client.history(tea)).toEqual(before);
    expect(before).toMatchObject([
      { id: hello, own: true, text: 'hello', edited: true, reactions: [{ emoji: '☕', by: ['alice'] }] },
      { id: reply, text: '*yes*', markdown: true, replyTo: hello },
      { id: slip, text: '', deleted: true, reactions: [] },
    ]);
    expect(changes).toEqual(['edited', 'reacted', 'deleted']);
    expect((await client.history(tea, { before: reply })).map(({ id }) => id)).toEqual([hello]);
    expect((await client.history(tea, { limit: 1 })).map(({ id }) => id)).toEqual([slip]);
  });

  it('waits in the queue under what it is, without what was deleted', async () => {
    await client.edit(tea, hello, 'hello');
    await client.react(tea, hello, '☕');
    expect(client.queue().map(({ what, text }) => [what, text])).toEqual([
      ['text', 'helo'],
      ['edit', 'hello'],
      ['reaction', '☕'],
    ]);
    await client.delete(tea, hello);
    expect(client.queue().map(({ what }) => what)).toEqual(['reaction', 'deletion']);
  });

  it('is refused with a reason when it is about nothing, or not to be', async () => {
    await client.delete(tea, hello);
    const nowhere = '0a'.repeat(16);
    for (const refused of [
      client.react(tea, nowhere, '+1'),
      client.send(tea, 'yes', { replyTo: nowhere }),
      client.history(tea, { before: nowhere }),
    ])
      await expect(refused).rejects.toMatchObject({ reason: 'unknown-message' });
    for (const refused of [client.edit(tea, hello, 'again'), client.delete(tea, hello), client.react(tea, hello, 'two words')])
      await expect(refused).rejects.toMatchObject({ reason: 'not-allowed' });
    await expect(client.send(tea, 'x'.repeat(64 * 1024 + 1))).rejects.toMatchObject({ reason: 'too-long' });
    await expect(client.send(tea, 'too soon', { expiresInMs: 1 })).rejects.toMatchObject({ reason: 'not-allowed' });
    await expect(client.send('ab'.repeat(32), 'hi')).rejects.toMatchObject({ reason: 'unknown-group' });
    await expect(client.requestContact('alice')).rejects.toMatchObject({ reason: 'not-allowed' });
    await expect(client.typing('nobody')).rejects.toMatchObject({ reason: 'unknown-contact' });
  });

  it.each(['   ', '\u200b', '\u2800\u2003', 'tea\ntime', 'tea\u001b[2J', '\u202eaet'])('is not in a group called %j', async (name) => {
    await expect(client.groups.create(name, [])).rejects.toMatchObject({ reason: 'not-allowed' });
    await expect(client.groups.rename(tea, name)).rejects.toMatchObject({ reason: 'not-allowed' });
  });

  it('is in groups called as people call them', async () => {
    for (const name of ['Tea & cake', '👩‍👧', 'चाय', 'שלום \u200fab']) await client.groups.rename(tea, name);
  });

  it('goes by the settings, which are kept', async () => {
    expect(client.settings).toEqual({ readReceipts: false, retentionDays: undefined, invisible: false });
    await expect(client.changeSettings({ retentionDays: 0.5 })).rejects.toMatchObject({ reason: 'not-allowed' });
    await client.changeSettings({ readReceipts: true, retentionDays: 1 });
    await client.close();
    client = await opens();
    expect(client.settings).toEqual({ readReceipts: true, retentionDays: 1, invisible: false });
    expect(await client.history(tea)).toHaveLength(1);
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 2 * 86_400_000);
    await client.changeSettings({ retentionDays: 1 });
    now.mockRestore();
    expect(await client.history(tea)).toEqual([]);
  });
});
