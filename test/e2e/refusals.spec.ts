import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { toBinary } from '@bufbuild/protobuf';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  Accounts,
  Contacts,
  ErrorCode,
  KeyPackages,
  LIMITS,
  Outcome,
  type Receipt,
  ReceiptSchema,
  ReceiptStatus,
  type Reply,
  ReplySchema,
  Sessions,
  toHex,
} from '@sotto/protocol';
import { type Server, startServer } from '../harness/dist/index.js';
import { until } from './people.js';
import { PASSWORD, publishTokens, registerRequest, tokenFor, WireClient, type WireDevice, wireDevice } from './wire-client.js';

const MOST_CONNECTIONS = 8;
const WINDOW_SECONDS = 2;
const APPS = resolve(dirname(fileURLToPath(import.meta.url)), '../../apps');

/** A reply but for the number of its call. */
function bytesOf(reply: Reply): string {
  return Buffer.from(toBinary(ReplySchema, { ...reply, id: 0 })).toString('hex');
}

const receiptsOf = ({ client }: WireDevice, id: Uint8Array): Receipt[] =>
  client.frames.flatMap(({ kind }) => (kind.case === 'receipt' && toHex(kind.value.id) === toHex(id) ? [kind.value] : []));

/** All receipts of a Send but for its id and the recipient's, both of which the sender chose. */
function receiptBytes(sender: WireDevice, id: Uint8Array): string[] {
  const nobody = new Uint8Array();
  const bytes = (receipt: Receipt) => toBinary(ReceiptSchema, { ...receipt, id: nobody, device: nobody });
  return receiptsOf(sender, id).map((receipt) => Buffer.from(bytes(receipt)).toString('hex'));
}

describe.each(['standalone', 'services'] as const)('what %s refuses', (kind) => {
  let server: Server;
  let alice: WireDevice;
  let bob: WireDevice;
  let carol: WireDevice;
  let dave: WireDevice;
  let erin: WireDevice;
  let grace: WireDevice;

  const claimOf = ({ session }: WireDevice) => alice.client.call(KeyPackages.method.claim, { account: session.account, cipherSuite: 1 });
  const connect = () => WireClient.connect(server.url, server.pin);

  beforeAll(async () => {
    server = await startServer(kind, { maxConnections: MOST_CONNECTIONS, retryWindowSeconds: WINDOW_SECONDS });
    alice = await wireDevice(server, 'alice');
    // Strangers: bob, carol, who blocks alice, and dave, who is away. Contacts: erin, and grace, until she blocks alice.
    [bob, carol, dave, erin, grace] = (await Promise.all(
      ['bob', 'carol', 'dave', 'erin', 'grace'].map((name) => wireDevice(server, name)),
    )) as [WireDevice, WireDevice, WireDevice, WireDevice, WireDevice];
    for (const each of [bob, carol, dave, erin, grace]) await publishTokens(each, 3);
    for (const [name, device] of Object.entries({ erin, grace })) {
      await alice.client.call(Contacts.method.request, { name });
      await device.client.call(Contacts.method.request, { name: 'alice' });
    }
    for (const each of [carol, grace]) await each.client.call(Contacts.method.block, { name: 'alice' });
    await dave.client.close();
  }, 180_000);

  afterAll(async () => {
    await server?.stop();
  }, 30_000);

  it('answers a contact request alike whoever has the name, if anybody', async () => {
    const replies = [];
    for (const name of ['nobody_here', 'bob', 'carol', 'dave', 'alice'])
      replies.push(bytesOf(await alice.client.ask(Contacts.method.request, { name })));
    expect(new Set(replies).size).toBe(1);
    // The comparison can fail: a name that cannot be is told apart.
    expect(bytesOf(await alice.client.ask(Contacts.method.request, { name: 'No Name' }))).not.toBe(replies[0]);
  });

  it('answers a claim of key packages alike for nobody, a stranger, one who blocked the claimer and a stranger who is away', async () => {
    const accounts = [randomBytes(16), ...[bob, carol, dave].map(({ session }) => session.account)];
    const claim = (account: Uint8Array) => alice.client.ask(KeyPackages.method.claim, { account, cipherSuite: 1 });
    const replies = [];
    for (const account of accounts) replies.push(bytesOf(await claim(account)));
    expect(new Set(replies).size).toBe(1);
    // There are packages to be had: a contact's are handed out, also when the contact has blocked the claimer since.
    for (const each of [erin, grace]) expect((await claimOf(each)).keyPackages).toHaveLength(1);
  });

  it('tells of a message that nobody took alike for nobody, a stranger, one who blocked the sender and one who is away', async () => {
    const send = (device: Uint8Array, token: Uint8Array): Uint8Array => {
      const id = randomBytes(16);
      alice.client.send({ case: 'send', value: { id, recipients: [{ device, token }], payload: new Uint8Array(8), ttl: WINDOW_SECONDS } });
      return id;
    };
    const ids = [
      send(randomBytes(16), randomBytes(32)),
      send(bob.session.device, randomBytes(32)),
      send(grace.session.device, (await claimOf(grace)).keyPackages[0]!.keyPackage),
      send(dave.session.device, tokenFor(dave)),
    ];
    const isSettled = (id: Uint8Array) => receiptsOf(alice, id).some(({ device }) => device.length > 0);
    await until('all are given up', () => ids.every(isSettled));
    expect(receiptsOf(alice, ids[0]!).at(-1)?.status).toBe(ReceiptStatus.UNDELIVERED);
    expect(new Set(ids.map((id) => receiptBytes(alice, id).join())).size).toBe(1);
    expect([bob, grace].flatMap(({ client }) => client.frames.filter(({ kind }) => kind.case === 'deliver'))).toEqual([]);
    // The comparison can fail: what a contact takes is told apart.
    const taken = send(erin.session.device, (await claimOf(erin)).keyPackages[0]!.keyPackage);
    const arrived = () => erin.client.frames.flatMap(({ kind }) => (kind.case === 'deliver' ? [kind.value] : []));
    await until('erin has it', () => arrived().length === 1);
    erin.client.send({ case: 'ack', value: { handle: arrived()[0]!.handle, outcome: Outcome.STORED } });
    await until('alice is told', () => isSettled(taken));
    expect(receiptBytes(alice, taken)).not.toEqual(receiptBytes(alice, ids[0]!));
  });

  it('answers a wrong password and an unknown name alike', async () => {
    const client = await connect();
    const deviceAuthKey = randomBytes(32);
    const wrong = await client.ask(Accounts.method.logIn, { name: 'bob', password: 'not the password', deviceAuthKey });
    const unknown = await client.ask(Accounts.method.logIn, { name: 'nobody_here', password: PASSWORD, deviceAuthKey });
    expect(wrong.error?.code).toBe(ErrorCode.WRONG_PASSWORD);
    expect(bytesOf(wrong)).toBe(bytesOf(unknown));
    await client.close();
  });

  it('refuses a call before Attach, an unknown method and a Send, and goes on with the connection', async () => {
    const client = await connect();
    expect(await client.errorOf(Contacts.method.list, {})).toBe(ErrorCode.UNAUTHENTICATED);
    expect((await client.reply('sotto.v1.Contacts/Nonsense', new Uint8Array())).error?.code).toBe(ErrorCode.UNKNOWN_METHOD);
    expect((await client.reply('sotto.v1.Accounts/LogIn', Uint8Array.of(0xff, 0xff))).error?.code).toBe(ErrorCode.MALFORMED);
    client.send({
      case: 'send',
      value: { id: randomBytes(16), recipients: [{ device: randomBytes(16), token: randomBytes(32) }], payload: new Uint8Array(8), ttl: 0 },
    });
    expect(await client.errorOf(Contacts.method.list, {})).toBe(ErrorCode.UNAUTHENTICATED);
    await client.close();
  });

  it('opens no session by a token from before a password change', async () => {
    const frank = await wireDevice(server, 'frank');
    const tablet = await connect();
    const deviceAuthKey = randomBytes(32);
    const { accessToken } = await tablet.call(Accounts.method.logIn, { name: 'frank', password: PASSWORD, deviceAuthKey });
    const change = { oldPassword: PASSWORD, newPassword: 'another long enough phrase', deviceAuthKey };
    await frank.client.call(Accounts.method.changePassword, change);
    const attach = { accessToken, deliveryKey: randomBytes(32) };
    expect(await tablet.errorOf(Sessions.method.attach, attach)).toBe(ErrorCode.UNAUTHENTICATED);
    await Promise.all([frank.client.close(), tablet.close()]);
  });

  it('refuses illegal names, weak passwords, and invites that are used or no invites', async () => {
    const client = await connect();
    const register = async (name: string, invite: string, password = PASSWORD) =>
      client.errorOf(Accounts.method.register, { ...registerRequest(client, name, invite), password });
    const invite = await server.createInvite();
    expect(await register('Not A Name', invite)).toBe(ErrorCode.ILLEGAL_NAME);
    expect(await register('dave', invite, 'short')).toBe(ErrorCode.WEAK_PASSWORD);
    expect(await register('dave', '')).toBe(ErrorCode.REGISTRATION_CLOSED);
    expect(await register('dave', 'bm90IGFuIGludml0ZSBhdCBhbGwsIGJ1dCBsb25n')).toBe(ErrorCode.INVITE_INVALID);
    expect(await register('dave', invite)).toBeUndefined();
    expect(await register('erin', invite)).toBe(ErrorCode.INVITE_INVALID);
    await client.close();
  });

  it('is itself refused when it does not have the pinned identity', async () => {
    await expect(WireClient.connect(server.url, randomBytes(32))).rejects.toMatchObject({ reason: 'wrong-pin' });
  });

  it.each([
    ['bytes that are no box', (client: WireClient) => client.socket.send(randomBytes(400)), 4_000],
    ['a box that holds no frames', (client: WireClient) => client.socket.send(client.channel.seal(Uint8Array.of(0xff, 0xff, 0xff))), 4_000],
    ['a message above the limit', (client: WireClient) => client.socket.send(randomBytes(LIMITS.boxBytes + 1)), 1_009],
  ])('closes the connection at %s and goes on serving others', async (_what, misbehave, code) => {
    const client = await connect();
    misbehave(client);
    expect((await client.closed).code).toBe(code);
    await bob.client.call(Contacts.method.list, {});
  });

  it('says that it is full, and lets in again when somebody leaves', async () => {
    const guests: WireClient[] = [];
    await expect(
      (async () => {
        for (let i = 0; i <= MOST_CONNECTIONS; i++) guests.push(await connect());
      })(),
    ).rejects.toThrow(/1013.*full/);
    await bob.client.call(Contacts.method.list, {});
    await Promise.all(guests.map((guest) => guest.close()));
    await new Promise((done) => setTimeout(done, 200));
    await (await connect()).close();
  });

  if (kind === 'standalone') {
    it('lets no second process at its data folder', async () => {
      const environment = { ...process.env, SOTTO_FOLDER: join(server.folder, 'data'), GATEWAY_PORT: '0' };
      const second = await new Promise<{ code: unknown; said: string }>((done) =>
        execFile(process.execPath, [join(APPS, 'standalone/dist/main.js')], { env: environment, timeout: 30_000 }, (error, _out, said) =>
          done({ code: error?.code, said }),
        ),
      );
      expect(second.code).toBe(1);
      expect(second.said).toMatch(/in use|another process|locked/i);
      await bob.client.call(Contacts.method.list, {});
    }, 40_000);
  }
});
