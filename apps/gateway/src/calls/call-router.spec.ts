import { create, toBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CallLimiter } from '@sotto/platform/live-state';
import { RpcError } from '@sotto/platform/rpc';
import { AttachRequestSchema, CallerClass, CallSchema, ErrorCode, LIMITS, METHODS, toHex } from '@sotto/protocol';
import { WireError } from '@sotto/protocol/frames';
import { CallerSchema, RpcRequestSchema } from '@sotto/protocol/internal';
import { randomBytes } from 'node:crypto';
import { type Client, GatewayWorld } from '../gateway.contract.js';
import { AttachedSession } from '../sessions/attached-session.js';

const ALICE = { account: 'a1'.repeat(16), device: 'a2'.repeat(16) };
const BOB = { account: 'b1'.repeat(16), device: 'b2'.repeat(16) };
const FOR_CLIENTS = [...METHODS.values()].filter(({ caller }) => caller !== CallerClass.SERVICE);
const of = (...classes: CallerClass[]) =>
  FOR_CLIENTS.filter(({ caller, name }) => classes.includes(caller) && name !== 'sotto.v1.Sessions/Attach').map(({ name }) => name);

describe('calls at the gateway', () => {
  let world: GatewayWorld;
  beforeEach(async () => {
    world = await GatewayWorld.start();
  });
  afterEach(() => world.stop());

  async function attached(identity: typeof ALICE & { pending?: boolean }): Promise<Client> {
    const client = world.connect();
    expect((await world.attach(client, identity)).error).toBeUndefined();
    return client;
  }

  it('reach the service with the identity of their connection, and bring its answer back as it is', async () => {
    const [alice, bob] = [await attached(ALICE), await attached(BOB)];
    const body = new Uint8Array(randomBytes(40));
    const replies = await Promise.all([alice, bob].map((client) => world.call(client, 'sotto.v1.Contacts/List', body)));
    for (const reply of replies) expect(Buffer.from(reply.body)).toEqual(Buffer.from(body));
    const callers = world.asked.map(({ request }) => request.caller!);
    expect(callers.map(({ account, device }) => [toHex(account), toHex(device)])).toEqual([
      [ALICE.account, ALICE.device],
      [BOB.account, BOB.device],
    ]);
    expect(callers[0]).toMatchObject({
      pending: false,
      address: '192.0.2.1',
      service: '',
      channelBinding: alice.connection.channel!.binding,
    });
  });

  it('are refused with more fields than they may have, an Attach before it is read by who has no good token', async () => {
    const client = world.connect();
    const good = await world.token(client, ALICE);
    // Says over and over that it is not invisible: legal but for how often.
    const refusal = async (accessToken: string) => {
      const request = toBinary(AttachRequestSchema, create(AttachRequestSchema, { accessToken, deliveryKey: new Uint8Array(32) }));
      const body = Buffer.concat([request, Buffer.alloc(2 * LIMITS.callFields, Uint8Array.of(0x20, 0))]);
      return (await world.call(client, 'sotto.v1.Sessions/Attach', body)).error?.code;
    };
    const ofNobody = await world.attach(client, ALICE, {}, Promise.resolve('none'));
    expect(await refusal('none')).toBe(ofNobody.error?.code);
    expect(await refusal(good)).toBe(ErrorCode.TOO_LARGE);
    const call = toBinary(CallSchema, create(CallSchema, { id: 9, method: 'sotto.v1.Contacts/List' }));
    const padded = Buffer.concat([call, Buffer.alloc(60, Uint8Array.of(0x1a, 0))]);
    expect(() => world.router.handle(client.connection, padded)).toThrow(WireError);
    expect((await world.attach(client, ALICE, {}, Promise.resolve(good))).error).toBeUndefined();
  });

  it('carry no identity that the client wrote', async () => {
    const alice = await attached(ALICE);
    const caller = create(CallerSchema, { account: new Uint8Array(16).fill(0xb1), service: 'contacts', address: '203.0.113.9' });
    const forged = toBinary(RpcRequestSchema, create(RpcRequestSchema, { caller, body: Uint8Array.of(1) }));
    const call = { id: 77, method: 'sotto.v1.Contacts/List', body: forged };
    await world.call(alice, call.method, forged);
    // As unknown fields of the Call itself, which are those of an RpcRequest and of a Caller.
    const padded = Buffer.concat([toBinary(CallSchema, create(CallSchema, call)), toBinary(CallerSchema, caller).subarray(18)]);
    await new Promise<unknown>((resolve) => {
      alice.replies.set(77, resolve);
      world.router.handle(alice.connection, padded);
    });
    expect(world.asked).toHaveLength(2);
    for (const { request } of world.asked) {
      expect(toHex(request.caller!.account)).toBe(ALICE.account);
      expect(request.caller).toMatchObject({ service: '', address: '192.0.2.1' });
      expect(Buffer.from(request.body)).toEqual(Buffer.from(forged));
    }
  });

  it('are anonymous before log-in where that is allowed, and refused unheard elsewhere', async () => {
    const client = world.connect();
    for (const method of of(CallerClass.ANONYMOUS)) expect((await world.call(client, method)).error).toBeUndefined();
    for (const { request } of world.asked) expect(request.caller!.account).toHaveLength(0);
    const heard = world.asked.length;
    expect(heard).toBeGreaterThan(2);
    for (const method of of(CallerClass.ACCOUNT, CallerClass.PENDING_DEVICE))
      expect([method, (await world.call(client, method)).error?.code]).toEqual([method, ErrorCode.UNAUTHENTICATED]);
    expect(world.asked).toHaveLength(heard);
  });

  it('of a pending device are refused unheard, but for those that such a device needs', async () => {
    const tablet = await attached({ ...ALICE, pending: true });
    for (const method of of(CallerClass.ACCOUNT))
      expect([method, (await world.call(tablet, method)).error?.code]).toEqual([method, ErrorCode.DEVICE_PENDING]);
    expect(world.asked).toEqual([]);
    for (const method of of(CallerClass.PENDING_DEVICE)) expect((await world.call(tablet, method)).error).toBeUndefined();
    expect(world.asked.every(({ request }) => request.caller!.pending)).toBe(true);
  });

  it('to methods that there are none, or that only services may call, are unknown', async () => {
    const alice = await attached(ALICE);
    const services = [...METHODS.values()].filter(({ caller }) => caller === CallerClass.SERVICE).map(({ name }) => name);
    expect(services.length).toBeGreaterThan(5);
    for (const method of ['sotto.v1.Contacts/Nothing', 'Contacts/List', '', '__proto__', 'call.sotto.v1.Contacts.List', ...services])
      expect([method, (await world.call(alice, method)).error?.code]).toEqual([method, ErrorCode.UNKNOWN_METHOD]);
    expect(world.asked).toEqual([]);
  });

  it('that are larger than a call may be are refused unheard; bytes that are no call end the box', async () => {
    const alice = await attached(ALICE);
    const reply = await world.call(alice, 'sotto.v1.Contacts/List', new Uint8Array(LIMITS.callBytes + 1));
    expect(reply.error?.code).toBe(ErrorCode.TOO_LARGE);
    expect(world.asked).toEqual([]);
    expect(() => world.router.handle(alice.connection, Uint8Array.of(0xff, 0xff))).toThrow(WireError);
  });

  it('of a stranger end its connection when there are too many, although each was refused', async () => {
    const stranger = world.connect();
    const refused = async () => (await world.call(stranger, 'sotto.v1.Contacts/List')).error?.code;
    for (let i = 0; i < 90; i++) expect(await refused()).toBe(ErrorCode.UNAUTHENTICATED);
    await expect(Promise.all(Array.from({ length: 20 }, refused))).rejects.toThrow(WireError);
  });

  it('are bounded in number at once, and free again when they are answered', async () => {
    const alice = await attached(ALICE);
    const calls = Array.from({ length: LIMITS.openCallsPerConnection + 5 }, () => world.call(alice, 'sotto.v1.Contacts/List'));
    const codes = (await Promise.all(calls)).map(({ error }) => error?.code);
    expect(codes.filter((code) => code === ErrorCode.RATE_LIMITED)).toHaveLength(5);
    expect((await world.call(alice, 'sotto.v1.Contacts/List')).error).toBeUndefined();
  });
});

describe('the charge of a call', () => {
  it('comes before anything is looked up, for every method', async () => {
    const charged: object[] = [];
    const limiter = {
      charge: (rate: number, who: object) => {
        charged.push({ rate, who });
        return Promise.reject(new RpcError(ErrorCode.RATE_LIMITED, 'Too many calls: try again later.', 1_234));
      },
    };
    const world = await GatewayWorld.start({ limiter });
    const client = world.connect();
    client.connection.session = new AttachedSession(ALICE.account, ALICE.device, false, 0);
    for (const { name, rate } of FOR_CLIENTS) {
      const { error } = await world.call(client, name);
      expect([name, error?.code, error?.retryAfterMs]).toEqual([name, ErrorCode.RATE_LIMITED, 1_234]);
      expect(charged.at(-1)).toEqual({ rate, who: { account: ALICE.account, address: '192.0.2.1' } });
    }
    expect(charged).toHaveLength(FOR_CLIENTS.length);
    expect(world.asked).toEqual([]);
    await world.stop();
  });

  it('is the address’s before log-in: more connections give no more tries', async () => {
    const world = await GatewayWorld.start({ limiter: new CallLimiter({ kind: 'memory' }) });
    const codes: (ErrorCode | undefined)[] = [];
    for (let i = 0; i < 301; i++) codes.push((await world.call(world.connect('192.0.2.9'), 'sotto.v1.Accounts/LogIn')).error?.code);
    expect(codes.indexOf(ErrorCode.RATE_LIMITED)).toBe(300);
    expect(world.asked).toHaveLength(300);
    expect((await world.call(world.connect('192.0.2.10'), 'sotto.v1.Accounts/LogIn')).error).toBeUndefined();
    await world.stop();
  });
});
