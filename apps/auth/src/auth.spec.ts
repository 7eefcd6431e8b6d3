import 'reflect-metadata';
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Accounts, Approvals, CertificateBodySchema, ErrorCode, fromHex, Invites, LIMITS, signedBytes, toHex } from '@sotto/protocol';
import { AccountLookup, Admin, Gateways, RpcReplySchema } from '@sotto/protocol/internal';
import { decodeJwt } from 'jose';
import { createInviteCode, DEFAULT_AUTH_CONFIG, serverIdentityOf } from './index.js';
import { AuthWorld, embedded, newKey, Person, services, type Topology } from './auth.contract.js';
import { PrismaAccountsStore } from './accounts/prisma-accounts.store.js';
import { sealCredential } from './sessions/device-credential.js';

const bytesOf = (reply: Parameters<typeof toBinary<typeof RpcReplySchema>>[1]) => toHex(toBinary(RpcReplySchema, reply));

async function eventually(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !holds(); tries++) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(holds()).toBe(true);
}

describe.each([
  ['embedded parts', embedded],
  ['NATS, Redis and Postgres', services],
])('auth on %s', (_title, build) => {
  let topology: Topology;
  let world: AuthWorld;
  beforeAll(async () => {
    topology = await build();
    world = await new AuthWorld(topology.parts).start();
  }, 180_000);
  afterAll(async () => {
    await world.stop();
    await topology.stop();
  });

  it('gives alice the name of her invite and a token for her channel alone', async () => {
    const alice = await new Person(world, 'alice').register();
    expect(alice.session).toMatchObject({ name: 'alice', pending: false, server: 'sotto.test' });
    const { iss, sub, dev, pen, cnf, iat, exp } = decodeJwt(alice.session!.accessToken);
    expect({ iss, sub, dev, pen, cnf }).toEqual({
      iss: 'sotto.test',
      sub: toHex(alice.session!.account),
      dev: toHex(alice.session!.device),
      pen: false,
      cnf: Buffer.from(alice.binding).toString('base64url'),
    });
    expect(exp! - iat!).toBe(300);
  });

  it('answers a wrong password and an unknown name with the same bytes', async () => {
    await new Person(world, 'bertha').register();
    const attempt = (name: string) =>
      world.forward(
        Accounts.method.logIn,
        { name, password: 'not her passphrase', deviceAuthKey: newKey().publicKey },
        new Person(world, name).anonymous,
      );
    const [wrong, unknown, illegal] = [await attempt('bertha'), await attempt('nobody'), await attempt('No Such Name!')];
    expect(wrong.error?.code).toBe(20);
    expect(bytesOf(wrong)).toBe(bytesOf(unknown));
    expect(bytesOf(wrong)).toBe(bytesOf(illegal));
  });

  it('hashes a password anew at a log-in after the cost was changed, and ends no session for it', async () => {
    const { client } = topology.parts.database;
    const hash = async () => (await client.account.findUnique({ where: { name: 'berta' } }))!.passwordHash!;
    await world.stop();
    world = await new AuthWorld(topology.parts, world.identity).start({ argon2: DEFAULT_AUTH_CONFIG.argon2 });
    const berta = await new Person(world, 'berta').register();
    const credential = berta.session!.credential;
    await world.stop();
    world = await new AuthWorld(topology.parts, world.identity).start({ argon2: { memoryKib: 20_000, passes: 3, lanes: 1 } });
    await expect(new Person(world, 'berta', 'not her passphrase').logIn()).rejects.toThrow('WRONG_PASSWORD');
    expect(await hash()).toContain('$m=19456,t=2,p=1$');
    const elsewhere = () => new Person(world, 'berta').logIn();
    await elsewhere();
    while (!(await hash()).includes('$m=20000,t=3,p=1$')) await new Promise((resolve) => setTimeout(resolve, 20));
    await elsewhere();
    const again = new Person(world, 'berta');
    expect((await Object.assign(again, { device: berta.device }).resume(credential)).name).toBe('berta');
    await world.stop();
    world = await new AuthWorld(topology.parts, world.identity).start();
  });

  it('lets one invite make one account, however many use it at once', async () => {
    const invite = world.invite();
    const tries = ['dora', 'emil', 'fred', 'gina'].map((name) =>
      new Person(world, name).register(invite).then(
        () => 'made',
        (error: Error) => error.message,
      ),
    );
    expect((await Promise.all(tries)).sort()).toEqual(['INVITE_INVALID', 'INVITE_INVALID', 'INVITE_INVALID', 'made']);
    await expect(new Person(world, 'hugo').register(invite)).rejects.toThrow('INVITE_INVALID');
  });

  it('gives the name to one of two invites that carry it, and a tag to the other, at the same moment', async () => {
    const both = await Promise.all([new Person(world, 'gustav').register(), new Person(world, 'gustav').register()]);
    const names = both.map(({ session }) => session!.name).sort();
    expect(names[0]).toBe('gustav');
    expect(names[1]).toMatch(/^gustav\.[0-9]{4,8}$/);
  });

  it('answers with the same bytes to every invite that is none', async () => {
    const used = world.invite('hanna');
    await new Person(world, 'hanna').register(used);
    const forged = Buffer.from(world.invite('irene'), 'base64url');
    forged[5]! ^= 1;
    const elsewhere = createInviteCode(serverIdentityOf(randomBytes(32)), { inviteLifetimeSeconds: 3_600 }, 'irene').code;
    const expired = createInviteCode(world.identity, { inviteLifetimeSeconds: -1 }, 'irene').code;
    const attempt = async (invite: string, name = 'irene') => {
      const irene = new Person(world, name);
      const request = { name, password: irene.password, invite, ...irene.identityProof() };
      return bytesOf(await world.forward(Accounts.method.register, request, irene.anonymous));
    };
    const replies = [forged.toString('base64url'), elsewhere, expired, 'no-invite', used].map((invite) => attempt(invite));
    const seen = await Promise.all([...replies, attempt(used, 'hanna')]);
    expect(new Set(seen).size).toBe(1);
    await expect(new Person(world, 'irene').register(expired)).rejects.toThrow('INVITE_INVALID');
    expect((await new Person(world, 'irene').register()).session?.name).toBe('irene');
  });

  it('answers a registration that is repeated, or asked twice at once, with its one account and device, and nobody else', async () => {
    const invite = world.invite();
    const jack = new Person(world, 'jack');
    await Promise.all([jack.register(invite), jack.register(invite)]);
    const { account, device, name } = jack.session!;
    const again = (await jack.reconnect().register(invite)).session!;
    expect([again.account, again.device, again.name, again.pending]).toEqual([account, device, name, false]);
    expect((await jack.resume()).device).toEqual(device);
    const { devices } = await world.call(Accounts.method.listDevices, {}, jack.caller);
    expect(devices).toHaveLength(1);
    const { password } = jack;
    const asAnother = () => Object.assign(jack, { device: newKey() }).register(invite);
    for (let i = 1; i < LIMITS.devicesPerAccount; i++) await asAnother();
    await expect(asAnother()).rejects.toThrow('LIMIT_REACHED');
    const others = new Person(world, 'jack', password).register(invite);
    await expect(others).rejects.toThrow('INVITE_INVALID');
    jack.password = 'not the long passphrase of jack';
    await expect(jack.register(invite)).rejects.toThrow('WRONG_PASSWORD');
    jack.password = password;
    await world.call(Accounts.method.deleteAccount, { password }, jack.caller);
    await expect(jack.register(invite)).rejects.toThrow('INVITE_INVALID');
  });

  it('gives a tag to who comes by an invite without a name, or whose name is gone', async () => {
    const first = await new Person(world, 'ida').register();
    const second = await new Person(world, 'ida').register();
    const third = await new Person(world, 'ida').register(world.invite());
    expect(first.session?.name).toBe('ida');
    for (const { session } of [second, third]) expect(session?.name).toMatch(/^ida\.[0-9]{4,8}$/);
  });

  it('refuses illegal names, weak passwords, forged invites and none', async () => {
    await expect(new Person(world, 'Al').register(world.invite())).rejects.toThrow('ILLEGAL_NAME');
    await expect(new Person(world, 'jane', 'short').register()).rejects.toThrow('WEAK_PASSWORD');
    await expect(new Person(world, 'jane', 'Password123').register()).rejects.toThrow('WEAK_PASSWORD');
    await expect(new Person(world, 'jane').register('')).rejects.toThrow('REGISTRATION_CLOSED');
    const forged = Buffer.from(world.invite('jane'), 'base64url');
    forged[3]! ^= 1;
    await expect(new Person(world, 'jane').register(forged.toString('base64url'))).rejects.toThrow('INVITE_INVALID');
  });

  it('resumes by credential on a new channel, and refuses a stolen one', async () => {
    const bob = await new Person(world, 'bob').register();
    const session = await bob.reconnect().resume();
    expect(decodeJwt(session.accessToken)['cnf']).toBe(Buffer.from(bob.binding).toString('base64url'));
    expect(session.credential).toBeUndefined();
    const proof = bob.device.sign(signedBytes('resume', bob.binding));
    const replay = world.call(Accounts.method.resume, { credential: bob.session!.credential!, proof }, bob.reconnect().anonymous);
    await expect(replay).rejects.toThrow('CREDENTIAL_INVALID');
    const mallory = new Person(world, 'mallory');
    await expect(mallory.resume(bob.session!.credential)).rejects.toThrow('CREDENTIAL_INVALID');
  });

  it('refuses an expired credential, and renews one past half of its life', async () => {
    const bob = await new Person(world, 'bob_old').register();
    const day = 24 * 3_600;
    const issued = (days: number) =>
      sealCredential(world.identity.credentialKey, {
        account: bob.session!.account,
        device: bob.session!.device,
        deviceAuthKey: bob.device.publicKey,
        issued: Math.floor(Date.now() / 1_000) - days * day,
        identityKey: bob.identity.publicKey,
      });
    await expect(bob.resume(issued(91))).rejects.toThrow('CREDENTIAL_INVALID');
    await topology.parts.database.client.account.update({ where: { id: bob.caller.account }, data: { sessionsValidAfter: new Date(0) } });
    expect((await bob.resume(issued(60))).credential).toBeDefined();
  });

  it('keeps a second device pending until the account key confirms it', async () => {
    const carol = await new Person(world, 'carol').register();
    const tablet = await new Person(world, 'carol').logIn();
    expect(tablet.session?.pending).toBe(true);
    const { account, device } = tablet.session!;
    const message = signedBytes('confirmDevice', account, device, tablet.device.publicKey);
    const confirm = (signature: Uint8Array) =>
      world.call(
        Accounts.method.confirmDevice,
        { device, deviceAuthKey: tablet.device.publicKey, identitySignature: signature },
        tablet.caller,
      );
    await expect(confirm(tablet.identity.sign(message))).rejects.toThrow('FORBIDDEN');
    tablet.session = await confirm(carol.identity.sign(message));
    expect(tablet.session.pending).toBe(false);
    expect((await tablet.reconnect().resume()).pending).toBe(false);
  });

  it('confirms a device by nobody but itself', async () => {
    const carla = await new Person(world, 'carla').register();
    const tablet = await new Person(world, 'carla').logIn();
    const { account, device } = tablet.session!;
    const identitySignature = carla.identity.sign(signedBytes('confirmDevice', account, device, tablet.device.publicKey));
    const request = { device, deviceAuthKey: tablet.device.publicKey, identitySignature };
    await expect(world.call(Accounts.method.confirmDevice, request, carla.caller)).rejects.toThrow('FORBIDDEN');
  });

  it('carries messages between a device that waits and one that answers, and tells both of each', async () => {
    const phone = await new Person(world, 'paula').register();
    const tablet = await new Person(world, 'paula').logIn();
    const { device } = tablet.session!;
    const append = (person: Person, position: number) =>
      world.call(Approvals.method.append, { device, position, message: Uint8Array.of(position) }, person.caller);
    const told = () => world.told.filter((account) => account === phone.caller.account).length;
    const before = told();
    await world.call(Approvals.method.ask, { deviceName: 'the tablet', message: Uint8Array.of(0) }, tablet.caller);
    await append(phone, 1);
    await append(tablet, 2);
    await append(phone, 3);
    const { approvals } = await world.call(Approvals.method.list, {}, phone.caller);
    const messages = [0, 1, 2, 3].map((each) => Uint8Array.of(each));
    expect(approvals).toMatchObject([{ device, deviceName: 'the tablet', messages, approver: phone.session!.device, refused: false }]);
    await eventually(() => told() >= before + 4);
  });

  it('lets a device write in its turn and for its own account only, and a pending one see nothing but itself', async () => {
    const phone = await new Person(world, 'rita').register();
    const [tablet, thief] = [await new Person(world, 'rita').logIn(), await new Person(world, 'rita').logIn()];
    const stranger = await new Person(world, 'sven').register();
    const { device } = tablet.session!;
    const message = Uint8Array.of(1);
    const append = (person: Person, position: number, of = device) =>
      world.call(Approvals.method.append, { device: of, position, message }, person.caller);
    await expect(world.call(Approvals.method.ask, { message }, phone.caller)).rejects.toThrow('FORBIDDEN');
    await world.call(Approvals.method.ask, { message }, tablet.caller);
    await expect(append(tablet, 1)).rejects.toThrow('FORBIDDEN');
    await expect(append(phone, 2)).rejects.toThrow('FORBIDDEN');
    await expect(append(thief, 2)).rejects.toThrow('FORBIDDEN');
    await expect(append(stranger, 1)).rejects.toThrow('APPROVAL_GONE');
    await expect(world.call(Approvals.method.refuse, { device }, thief.caller)).rejects.toThrow('DEVICE_PENDING');
    await expect(world.call(Approvals.method.refuse, { device }, stranger.caller)).rejects.toThrow('APPROVAL_GONE');
    expect((await world.call(Approvals.method.list, {}, thief.caller)).approvals).toEqual([]);
    expect((await world.call(Approvals.method.list, {}, stranger.caller)).approvals).toEqual([]);
  });

  it('bounds names, messages and how many devices wait', async () => {
    await new Person(world, 'tina').register();
    const waiting = await Promise.all(Array.from({ length: 5 }, () => new Person(world, 'tina').logIn()));
    const ask = (person: Person, deviceName = '', bytes = 1) =>
      world.call(Approvals.method.ask, { deviceName, message: new Uint8Array(bytes) }, person.caller);
    await expect(ask(waiting[0]!, 'ü'.repeat(33))).rejects.toThrow('TOO_LARGE');
    await expect(ask(waiting[0]!, '', 1_025)).rejects.toThrow('TOO_LARGE');
    await expect(ask(waiting[0]!, '', 0)).rejects.toThrow('MALFORMED');
    for (const person of waiting.slice(0, 4)) await ask(person, 'ü'.repeat(32), 1_024);
    await expect(ask(waiting[4]!)).rejects.toThrow('LIMIT_REACHED');
  });

  it('forgets what waits when it is confirmed, revoked or logged out', async () => {
    const phone = await new Person(world, 'uta').register();
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => new Person(world, 'uta').logIn()));
    const waiting = async () => (await world.call(Approvals.method.list, {}, phone.caller)).approvals.length;
    for (const person of [first!, second!, third!]) await world.call(Approvals.method.ask, { message: Uint8Array.of(1) }, person.caller);
    const { account, device } = first!.session!;
    const identitySignature = phone.identity.sign(signedBytes('confirmDevice', account, device, first!.device.publicKey));
    await world.call(Accounts.method.confirmDevice, { device, deviceAuthKey: first!.device.publicKey, identitySignature }, first!.caller);
    expect(await waiting()).toBe(2);
    await world.call(Accounts.method.revokeDevice, { device: second!.session!.device }, phone.caller);
    expect(await waiting()).toBe(1);
    const change = { oldPassword: phone.password, newPassword: 'another long passphrase', deviceAuthKey: phone.device.publicKey };
    await world.call(Accounts.method.changePassword, change, phone.caller);
    expect(await waiting()).toBe(0);
  });

  it('makes other devices pending when the account key is reset', async () => {
    const phone = await new Person(world, 'kim').register();
    const laptop = await new Person(world, 'kim').logIn();
    const fresh = newKey();
    const request = { password: laptop.password, ...laptop.identityProof(fresh) };
    laptop.session = await world.call(Accounts.method.resetIdentity, request, laptop.caller);
    expect(laptop.session).toMatchObject({ pending: false });
    expect((await laptop.reconnect().resume()).pending).toBe(false);
    expect((await phone.reconnect().resume()).pending).toBe(true);
  });

  it('answers a reset of the account key before contacts have told of it, who have much to tell', async () => {
    const kira = await new Person(world, 'kira').register();
    let done: () => void = () => undefined;
    world.contactsWait = new Promise<void>((resolve) => (done = resolve));
    world.heard.length = 0;
    const request = { password: kira.password, ...kira.identityProof(newKey()) };
    kira.session = await world.call(Accounts.method.resetIdentity, request, kira.caller);
    expect(kira.session).toMatchObject({ pending: false, identityKey: request.identityKey });
    await eventually(() => world.heard.includes('AccountChanged'));
    done();
  });

  it('ends a revoked device at once and for good', async () => {
    const lena = await new Person(world, 'lena').register();
    const lost = await new Person(world, 'lena').logIn();
    await world.call(Accounts.method.revokeDevice, { device: lost.session!.device }, lena.caller);
    await expect(lost.reconnect().resume()).rejects.toThrow('CREDENTIAL_INVALID');
    expect(world.revoked).toContainEqual({ account: lena.caller.account, device: lost.caller.device, except: '' });
    const sessions = [lena, lost].map(({ session }) => ({
      account: session!.account,
      device: session!.device,
      since: BigInt(Math.floor(Date.now() / 1_000)),
    }));
    const { over } = await world.asService(Gateways.method.checkSessions, { sessions });
    expect(over.map(({ device }) => toHex(device))).toEqual([lost.caller.device]);
    const { devices } = await world.call(Accounts.method.listDevices, {}, lena.caller);
    expect(devices).toMatchObject([
      { device: lost.session!.device, revoked: true, online: false },
      { device: lena.session!.device, revoked: false, online: true },
    ]);
  });

  it('lets as many devices in as an account may have, however many log in at once, and says what to do', async () => {
    const sam = await new Person(world, 'sam').register();
    const logIn = (i: number) => new Person(world, 'sam', sam.password, `192.0.2.${i}`).logIn();
    const outcomes = await Promise.allSettled(Array.from({ length: 14 }, (_, i) => logIn(i)));
    const devices = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(devices).toHaveLength(LIMITS.devicesPerAccount - 1);
    const request = { name: 'sam', password: sam.password, deviceAuthKey: newKey().publicKey };
    const { error } = await world.forward(Accounts.method.logIn, request, new Person(world, 'sam').anonymous);
    expect(error).toMatchObject({ code: ErrorCode.LIMIT_REACHED });
    expect(error!.text).toMatch(/10 devices.*Revoke one/);
    expect((await world.call(Accounts.method.listDevices, {}, sam.caller)).devices).toHaveLength(10);
    await devices[0]!.reconnect().resume();
    await world.call(Accounts.method.revokeDevice, { device: devices[0]!.session!.device }, sam.caller);
    await logIn(1);
    await expect(logIn(2)).rejects.toThrow('LIMIT_REACHED');
  });

  it('takes the place of the device away longest when that is asked for, and ends it', async () => {
    const tom = await new Person(world, 'tom').register();
    const others = [];
    for (let i = 1; i < LIMITS.devicesPerAccount; i++) others.push(await new Person(world, 'tom', tom.password, `192.0.2.${i}`).logIn());
    const account = await topology.parts.database.client.account.findUniqueOrThrow({ where: { name: 'tom' } });
    expect(account.revokedDevices).toEqual({});
    const request = { name: 'tom', password: tom.password, deviceAuthKey: newKey().publicKey, replaceLongestAway: true };
    const { device } = await world.call(Accounts.method.logIn, request, new Person(world, 'tom').anonymous);
    const { devices } = await world.call(Accounts.method.listDevices, {}, { ...tom.caller, device: toHex(device) });
    const [gone, ...more] = devices.filter(({ revoked }) => revoked);
    expect(more).toEqual([]);
    expect(devices).toHaveLength(LIMITS.devicesPerAccount + 1);
    const ended = [tom, ...others].find(({ session }) => toHex(session!.device) === toHex(gone!.device))!;
    await expect(ended.reconnect().resume()).rejects.toThrow('CREDENTIAL_INVALID');
  });

  it('ends at once what took a place while the password was changed', async () => {
    const vera = await new Person(world, 'vera').register();
    for (let i = 1; i < LIMITS.devicesPerAccount; i++) await new Person(world, 'vera', vera.password, `192.0.2.${i}`).logIn();
    const { revokeDevice } = PrismaAccountsStore.prototype;
    const revoking = jest.spyOn(PrismaAccountsStore.prototype, 'revokeDevice').mockImplementation(async function (
      this: PrismaAccountsStore,
      ...args
    ) {
      const isRevoked = await revokeDevice.apply(this, args);
      const request = { oldPassword: vera.password, newPassword: 'yet another passphrase', deviceAuthKey: vera.device.publicKey };
      vera.session = await world.call(Accounts.method.changePassword, request, vera.caller);
      return isRevoked;
    });
    const thief = new Person(world, 'vera', vera.password);
    const request = { name: 'vera', password: vera.password, deviceAuthKey: thief.device.publicKey, replaceLongestAway: true };
    const { credential } = await world.call(Accounts.method.logIn, request, thief.anonymous);
    revoking.mockRestore();
    await expect(thief.resume(credential)).rejects.toThrow('CREDENTIAL_INVALID');
    await vera.reconnect().resume();
  });

  it('has all places again when the password changes, and keeps devices that were let in when live state is wiped', async () => {
    const una = await new Person(world, 'una').register();
    const others = [];
    for (let i = 1; i < LIMITS.devicesPerAccount; i++) others.push(await new Person(world, 'una', una.password, `192.0.2.${i}`).logIn());
    if (topology.parts.liveState.kind === 'redis') {
      await topology.parts.liveState.redis.flushall();
      await una.reconnect().resume();
      for (const other of others) await other.reconnect().resume();
      await expect(new Person(world, 'una').logIn()).rejects.toThrow('LIMIT_REACHED');
    }
    const newPassword = 'yet another passphrase';
    const request = { oldPassword: una.password, newPassword, deviceAuthKey: una.device.publicKey };
    una.session = await world.call(Accounts.method.changePassword, request, una.caller);
    for (let i = 1; i < LIMITS.devicesPerAccount; i++) await new Person(world, 'una', newPassword, `192.0.2.${i}`).logIn();
    await expect(new Person(world, 'una', newPassword).logIn()).rejects.toThrow('LIMIT_REACHED');
  });

  it('ends all other sessions when the password changes', async () => {
    const mia = await new Person(world, 'mia').register();
    const other = await new Person(world, 'mia').logIn();
    const request = { oldPassword: mia.password, newPassword: 'another long passphrase', deviceAuthKey: mia.device.publicKey };
    mia.session = await world.call(Accounts.method.changePassword, request, mia.caller);
    await expect(other.reconnect().resume()).rejects.toThrow('CREDENTIAL_INVALID');
    await expect(new Person(world, 'mia').logIn()).rejects.toThrow('WRONG_PASSWORD');
    expect((await mia.reconnect().resume()).name).toBe('mia');
    expect(world.revoked).toContainEqual({ account: mia.caller.account, device: '', except: mia.caller.device });
  });

  it('keeps the name of a deleted account taken, and knows the account no more', async () => {
    const invite = world.invite('nora');
    const nora = await new Person(world, 'nora').register(invite);
    await world.call(Accounts.method.deleteAccount, { password: nora.password }, nora.caller);
    expect(world.heard).toContain('AccountChanged');
    expect(world.revoked).toContainEqual({ account: nora.caller.account, device: '', except: nora.caller.device });
    expect((await new Person(world, 'nora').register()).session?.name).toMatch(/^nora\.[0-9]+$/);
    await expect(new Person(world, 'nora').logIn()).rejects.toThrow('WRONG_PASSWORD');
    await expect(nora.reconnect().resume()).rejects.toThrow('CREDENTIAL_INVALID');
    expect(await world.asService(AccountLookup.method.byName, { name: 'nora' })).toMatchObject({ name: '' });
    const byId = await world.asService(AccountLookup.method.byIds, { accounts: [fromHex(nora.caller.account)] });
    expect(byId.accounts).toMatchObject([{ name: 'nora', gone: true, identityKey: nora.identity.publicKey }]);
    await expect(new Person(world, 'nora').register(invite)).rejects.toThrow('INVITE_INVALID');
  });

  it('slows tries on one name from one address, existing or not, and lets another address in', async () => {
    const olga = await new Person(world, 'olga').register();
    for (const name of ['olga', 'not_olga']) {
      const guess = () => new Person(world, name, 'a wrong long password', '192.0.2.66').logIn().catch((error: Error) => error.message);
      const outcomes = await Promise.all(Array.from({ length: 21 }, guess));
      expect(outcomes.filter((outcome) => outcome === 'RATE_LIMITED')).toHaveLength(1);
    }
    expect((await new Person(world, 'olga', olga.password, '192.0.2.7').logIn()).session?.name).toBe('olga');
  });

  it('certifies a gateway for a day by the identity that clients pin', async () => {
    const gatewayKey = new Uint8Array(randomBytes(32));
    const { certificate, tokenKey, server } = await world.asService(Gateways.method.certify, { gatewayKey });
    const body = fromBinary(CertificateBodySchema, certificate!.body);
    expect(body).toMatchObject({ gatewayKey, identityKey: world.identity.identity.publicKey });
    expect(body.notAfter - body.notBefore).toBe(86_400n);
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), body.identityKey]);
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    expect(verify(null, signedBytes('gatewayCertificate', certificate!.body), key, certificate!.signature)).toBe(true);
    expect(tokenKey).toEqual(world.identity.tokenKey.publicKey);
    expect(server).toBe('sotto.test');
  });

  it('makes invites for members and the operator', async () => {
    const pia = await new Person(world, 'pia').register();
    const { code } = await world.call(Invites.method.create, { name: 'quinn' }, pia.caller);
    expect((await new Person(world, 'quinn').register(code)).session?.name).toBe('quinn');
    const { code: byOperator, pin } = await world.asService(Admin.method.createInvite, { name: 'rosa' });
    expect(pin).toEqual(world.identity.pin);
    expect((await new Person(world, 'rosa').register(byOperator)).session?.name).toBe('rosa');
  });
});

describe('two instances of auth in one process', () => {
  it('let in each its own people, whichever started last', async () => {
    const topologies = [await embedded(), await embedded()];
    const [first, second] = topologies.map(({ parts }) => new AuthWorld(parts)) as [AuthWorld, AuthWorld];
    await first.start();
    const alice = await new Person(first, 'alice').register();
    await second.start();
    const again = await new Person(first, 'alice').logIn();
    expect(again.session?.account).toEqual(alice.session?.account);
    await Promise.all([first, second].map((world) => world.stop()));
    await Promise.all(topologies.map((topology) => topology.stop()));
  }, 180_000);
});
