import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { toBinary } from '@bufbuild/protobuf';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Accounts, Contacts, ErrorCode, KeyPackages, LIMITS, type Reply, ReplySchema, Sessions } from '@sotto/protocol';
import { type Server, startServer } from '../harness/dist/index.js';
import { PASSWORD, registerRequest, WireClient, type WireDevice, wireDevice } from './wire-client.js';

const MOST_CONNECTIONS = 8;
const APPS = resolve(dirname(fileURLToPath(import.meta.url)), '../../apps');

/** A reply but for the number of its call. */
function bytesOf(reply: Reply): string {
  return Buffer.from(toBinary(ReplySchema, { ...reply, id: 0 })).toString('hex');
}

describe.each(['standalone', 'services'] as const)('what %s refuses', (kind) => {
  let server: Server;
  let alice: WireDevice;
  let bob: WireDevice;
  let carol: WireDevice;

  const connect = () => WireClient.connect(server.url, server.pin);

  beforeAll(async () => {
    server = await startServer(kind, { maxConnections: MOST_CONNECTIONS });
    alice = await wireDevice(server, 'alice');
    bob = await wireDevice(server, 'bob');
    carol = await wireDevice(server, 'carol');
    await carol.client.call(Contacts.method.block, { name: 'alice' });
  }, 180_000);

  afterAll(async () => {
    await server?.stop();
  }, 30_000);

  it('answers a contact request alike whoever has the name, if anybody', async () => {
    const replies = [];
    for (const name of ['nobody_here', 'bob', 'carol', 'alice'])
      replies.push(bytesOf(await alice.client.ask(Contacts.method.request, { name })));
    expect(new Set(replies).size).toBe(1);
    // The comparison can fail: a name that cannot be is told apart.
    expect(bytesOf(await alice.client.ask(Contacts.method.request, { name: 'No Name' }))).not.toBe(replies[0]);
  });

  it('answers a claim of key packages alike for nobody, a stranger and one who blocked the claimer', async () => {
    const accounts = [randomBytes(16), bob.session.account, carol.session.account];
    const replies = [];
    for (const account of accounts) replies.push(bytesOf(await alice.client.ask(KeyPackages.method.claim, { account, cipherSuite: 1 })));
    expect(new Set(replies).size).toBe(1);
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
