import { setTimeout as sleep } from 'node:timers/promises';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, errors, type NatsConnection } from '@nats-io/transport-node';
import { type Bus, connectNatsBus, type NatsBus } from '@sotto/platform/bus';
import { RpcClient, type RpcCaller, subjectOf } from '@sotto/platform/rpc';
import { Accounts, CallerClass, contractOf, ErrorCode, LIMITS, LogInRequestSchema, METHODS } from '@sotto/protocol';
import { AccountLookup, RpcReplySchema, RpcRequestSchema } from '@sotto/protocol/internal';
import { freePort, type RunningServer, startNats, WeakLink } from '@sotto/testing';
import { NATS_USERS, natsConfig } from '../../deploy/nats-users.mjs';

const USERS = ['gateway', 'auth', 'contacts', 'directory', 'relay', 'admin'];
const passwords = Object.fromEntries(USERS.map((name) => [name, `password-of-${name}`]));

/** Who serves a service of the protocol; Sessions ends at the gateway itself and is never heard on the bus. */
const SERVED_BY: Record<string, string[]> = {
  'sotto.v1.Accounts': ['auth'],
  'sotto.v1.Invites': ['auth'],
  'sotto.v1.Approvals': ['auth'],
  'sotto.v1.Contacts': ['contacts'],
  'sotto.v1.KeyPackages': ['directory'],
  'sotto.v1.Sessions': [],
  'sotto.internal.v1.AccountLookup': ['auth'],
  'sotto.internal.v1.Gateways': ['auth'],
  'sotto.internal.v1.Admin': ['auth'],
  'sotto.internal.v1.ContactLookup': ['contacts'],
  'sotto.internal.v1.KeyPackageLedger': ['directory'],
};

const CALLED_BY: Record<string, string[]> = {
  'sotto.internal.v1.AccountLookup': ['contacts'],
  'sotto.internal.v1.Gateways': ['gateway'],
  'sotto.internal.v1.Admin': ['admin'],
  'sotto.internal.v1.ContactLookup': ['auth', 'directory'],
  'sotto.internal.v1.KeyPackageLedger': ['auth', 'contacts'],
};

interface Right {
  subject: string;
  publish: readonly string[];
  subscribe: readonly string[];
}

const CALLS: Right[] = [...METHODS.values()].map((contract) => {
  const service = contract.method.parent.typeName;
  const publish = contract.caller === CallerClass.SERVICE ? CALLED_BY[service] : ['gateway'];
  return { subject: subjectOf(contract), publish: publish ?? [], subscribe: SERVED_BY[service] ?? [] };
});

const EVENTS: Right[] = [
  { subject: 'relay.0000002a.in', publish: ['gateway'], subscribe: ['relay'] },
  { subject: 'gateway.0000002a.out', publish: ['relay'], subscribe: ['gateway'] },
  { subject: 'gateway.0000002a.event', publish: ['auth', 'contacts', 'directory'], subscribe: ['gateway'] },
  { subject: 'device.changed', publish: ['gateway'], subscribe: ['gateway', 'contacts', 'relay'] },
  { subject: 'sessions.revoked', publish: ['auth'], subscribe: ['gateway'] },
];

/** Listening wider than one's own part, others' answers, the broker's own subjects, and streams, which would keep messages. */
const NOBODY: Right[] = [
  ...['>', '*', 'call.>', 'svc.>', 'relay.>', 'gateway.>', '_INBOX.>', '$SYS.>', 'elsewhere'].map((subject) => ({
    subject,
    publish: [],
    subscribe: [],
  })),
  ...USERS.map((name) => ({ subject: `_INBOX.${name}.answer`, publish: [], subscribe: [name] })),
  { subject: '$JS.API.STREAM.CREATE.messages', publish: [], subscribe: [] },
];

/** The subjects that the broker refuses to this connection, of those given. The answer to a ping comes after all refusals. */
async function refusedPublishes(connection: NatsConnection, subjects: readonly string[]): Promise<string[]> {
  const refused = new Set<string>();
  void (async () => {
    for await (const status of connection.status()) {
      const error = status.type === 'error' ? status.error : undefined;
      if (error instanceof errors.PermissionViolationError && error.operation === 'publish') refused.add(error.subject);
    }
  })();
  for (const subject of subjects) connection.publish(subject);
  await connection.flush();
  await connection.flush();
  return subjects.filter((subject) => refused.has(subject));
}

async function refusedSubscriptions(connection: NatsConnection, subjects: readonly string[]): Promise<string[]> {
  const refused = new Set<string>();
  for (const subject of subjects) {
    connection.subscribe(subject, {
      callback: (error) => void (error instanceof errors.PermissionViolationError && refused.add(error.subject)),
    });
  }
  await connection.flush();
  await connection.flush();
  return subjects.filter((subject) => refused.has(subject));
}

describe("the bus's users", () => {
  let nats: RunningServer;
  let monitoring: string;
  const open = (user: string) =>
    connect({
      servers: nats.url,
      user,
      pass: passwords[user] ?? '',
      inboxPrefix: `_INBOX.${user}`,
      reconnect: false,
      ignoreAuthErrorAbort: true,
    });

  beforeAll(async () => {
    monitoring = `127.0.0.1:${await freePort()}`;
    nats = await startNats({ config: natsConfig(passwords, { monitoring }) });
  });
  afterAll(() => nats.stop());

  it('are those whose rights are stated here', () => {
    expect(NATS_USERS.map(({ name }) => name).sort()).toEqual([...USERS].sort());
    expect(CALLS.map(({ subject }) => subject)).toContain('call.sotto.v1.Accounts.LogIn');
  });

  it.each(USERS)('%s publishes what it may and is refused everything else', async (user) => {
    const connection = await open(user);
    const rights = [...CALLS, ...EVENTS, ...NOBODY].filter(({ subject }) => !/[*>]/.test(subject));
    const expected = rights.filter(({ publish }) => !publish.includes(user)).map(({ subject }) => subject);
    expect(
      await refusedPublishes(
        connection,
        rights.map(({ subject }) => subject),
      ),
    ).toEqual(expected);
    await connection.close();
  });

  it.each(USERS)('%s hears what it may and is refused everything else', async (user) => {
    const connection = await open(user);
    const rights = [...CALLS, ...EVENTS, ...NOBODY];
    const expected = rights.filter(({ subscribe }) => !subscribe.includes(user)).map(({ subject }) => subject);
    expect(
      await refusedSubscriptions(
        connection,
        rights.map(({ subject }) => subject),
      ),
    ).toEqual(expected);
    await connection.close();
  });

  it('are nobody without a password, and nobody with another one', async () => {
    await expect(connect({ servers: nats.url, reconnect: false })).rejects.toThrow(/authorization/i);
    await expect(connect({ servers: nats.url, user: 'gateway', pass: passwords.auth ?? '', reconnect: false })).rejects.toThrow(
      /authorization/i,
    );
  });

  it('sit on a broker that keeps nothing and drops whoever reads too slowly', async () => {
    const settings = (await (await fetch(`http://${monitoring}/varz`)).json()) as Record<string, unknown>;
    expect(settings).toMatchObject({ max_payload: LIMITS.busMessageBytes, max_pending: 8 * 1024 * 1024, write_deadline: 2_000_000_000 });
    expect(settings.jetstream ?? {}).toEqual({});
    const connection = await open('gateway');
    expect(connection.info).toMatchObject({ max_payload: LIMITS.busMessageBytes });
    expect(connection.info?.jetstream ?? false).toBe(false);
    await connection.close();
  });

  it('show the monitoring pages to their own machine alone', () => {
    expect(natsConfig(passwords)).toMatch(/^http: "127\.0\.0\.1:\d+"$/m);
  });
});

describe('a call', () => {
  let nats: RunningServer;
  const buses: NatsBus[] = [];
  const caller: RpcCaller = {
    account: '',
    device: '',
    pending: false,
    channelBinding: new Uint8Array(32),
    address: '192.0.2.1',
    service: '',
  };
  const logIn = contractOf(Accounts.method.logIn);
  const body = toBinary(LogInRequestSchema, create(LogInRequestSchema, { name: 'alice' }));

  async function busOf(user: string, servers = nats.url): Promise<NatsBus> {
    const bus = await connectNatsBus({ servers, user, password: passwords[user] ?? '', name: user });
    buses.push(bus);
    return bus;
  }

  function answerLogIn(bus: Bus, heard?: () => void): void {
    bus.respond(subjectOf(logIn), 'sotto.v1.Accounts', (payload) => {
      heard?.();
      const request = fromBinary(RpcRequestSchema, payload);
      return Promise.resolve(toBinary(RpcReplySchema, create(RpcReplySchema, { body: request.body })));
    });
  }

  beforeAll(async () => {
    nats = await startNats({ config: natsConfig(passwords, { monitoring: `127.0.0.1:${await freePort()}` }) });
    answerLogIn(await busOf('auth'));
  });
  afterAll(async () => {
    await Promise.all(buses.map((bus) => bus.close()));
    await nats.stop();
  });

  it('of the gateway is answered by auth, as often as it asks', async () => {
    const client = new RpcClient(await busOf('gateway'), { service: 'gateway' });
    for (let time = 0; time < 3; time++) {
      const reply = await client.forward(logIn, body, caller);
      expect(reply.error).toBeUndefined();
      expect(reply.body).toEqual(body);
    }
  });

  it('reaches a service that hangs for seconds only: then those beside it get all', async () => {
    const link = await WeakLink.to(nats.port);
    const hung = await busOf('auth', `nats://127.0.0.1:${link.port}`);
    let heard = 0;
    answerLogIn(hung, () => (heard += 1));
    const client = new RpcClient(await busOf('gateway'), { service: 'gateway' });
    const answered = async () => (await client.forward(logIn, body, caller, { timeoutMs: 200 })).error === undefined;
    const share = async () => (await Promise.all(Array.from({ length: 20 }, answered))).filter((each) => each).length;
    while (heard === 0) expect(await share()).toBe(20);
    link.silence();
    expect(await share()).toBeLessThan(20);
    await sleep(7_000);
    expect(await share()).toBe(20);
    await link.close();
  }, 20_000);

  it('that contacts or the relay make in a client’s name reaches nobody', async () => {
    for (const user of ['contacts', 'relay']) {
      const reply = await new RpcClient(await busOf(user), { service: user }).forward(logIn, body, caller, { timeoutMs: 300 });
      expect(reply.error?.code).toBe(ErrorCode.UNAVAILABLE);
    }
  });

  it('between services is answered, and refused to a service that has no business there', async () => {
    const auth = await busOf('auth');
    const method = contractOf(AccountLookup.method.byName);
    auth.respond(subjectOf(method), 'lookup', () => Promise.resolve(toBinary(RpcReplySchema, create(RpcReplySchema, {}))));
    const ask = async (user: string) =>
      new RpcClient(await busOf(user), { service: user }).call(AccountLookup.method.byName, { name: 'bob' }, { timeoutMs: 300 });
    await expect(ask('contacts')).resolves.toBeDefined();
    await expect(ask('directory')).rejects.toMatchObject({ code: ErrorCode.UNAVAILABLE });
  });
});
