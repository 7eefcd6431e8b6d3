import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Accounts, Contacts, ErrorCode, Invites, KeyPackages, LIMITS, Remedy, remedyOf, Sessions, toHex } from '@sotto/protocol';
import { startTopology, type Topology } from '../harness/dist/index.js';
import { until } from './people.js';
import { itMainlyOn } from './topologies.js';
import { PASSWORD, registerRequest, tokenFor, WireClient, type WireDevice, wireDevice, wireReturn } from './wire-client.js';

describe.each(['standalone', 'services'] as const)('an account on %s', (kind) => {
  let server: Topology;
  let alice: WireDevice;

  const connect = () => WireClient.connect(server.url, server.pin);

  beforeAll(async () => {
    server = await startTopology(kind);
    alice = await wireDevice(server, 'alice');
  }, 180_000);

  afterAll(async () => {
    await server?.stop();
  }, 30_000);

  /** A new device of alice's, which waits to be confirmed. */
  async function logIn(more: { replaceLongestAway?: boolean } = {}): Promise<{ client: WireClient; device: Uint8Array; code?: ErrorCode }> {
    const client = await connect();
    const request = { name: 'alice', password: PASSWORD, deviceAuthKey: randomBytes(32), ...more };
    const code = await client.errorOf(Accounts.method.logIn, request);
    if (code !== undefined) return { client, device: new Uint8Array(), code };
    const { devices } = await alice.client.call(Accounts.method.listDevices, {});
    const newest = devices.filter(({ pending, revoked }) => pending && !revoked).at(-1)!;
    return { client, device: newest.device };
  }

  itMainlyOn('services', kind)(
    'has room for ten devices, and for another when one is revoked or replaced',
    async () => {
      const devices = [];
      for (let i = 1; i < LIMITS.devicesPerAccount; i++) devices.push(await logIn());
      const refused = await logIn();
      expect(refused.code).toBe(ErrorCode.LIMIT_REACHED);
      await alice.client.call(Accounts.method.revokeDevice, { device: devices[0]!.device });
      const next = await logIn();
      expect(next.code).toBeUndefined();
      const replacing = await logIn({ replaceLongestAway: true });
      expect(replacing.code).toBeUndefined();
      const { devices: listed } = await alice.client.call(Accounts.method.listDevices, {});
      expect(listed.filter(({ revoked }) => !revoked)).toHaveLength(LIMITS.devicesPerAccount);
      expect(listed.find(({ device }) => toHex(device) === toHex(alice.session.device))).toMatchObject({ online: true, revoked: false });
      await Promise.all([...devices, refused, next, replacing].map(({ client }) => client.close()));
    },
    60_000,
  );

  it('ends the connection of a device that is revoked, and lets it not come back', async () => {
    const bob = await wireDevice(server, 'bob');
    await bob.client.call(Accounts.method.revokeDevice, { device: bob.session.device });
    expect((await bob.client.closed).code).toBe(4_003);
    await expect(wireReturn(server, bob)).rejects.toThrow(/credential/i);
  });

  if (kind === 'services') {
    it.each(['postgres', 'redis'] as const)(
      'asks to try again while %s is away, and goes on when it is back',
      async (part) => {
        await server.kill(part);
        const client = await connect();
        const request = { name: 'alice', password: PASSWORD, deviceAuthKey: randomBytes(32) };
        const codes = [
          await client.errorOf(Accounts.method.logIn, request),
          await alice.client.errorOf(Contacts.method.request, { name: 'zoe' }),
        ];
        const refused = codes.filter((code) => code !== undefined);
        expect(refused.length).toBeGreaterThan(0);
        for (const code of refused) expect([part, remedyOf(code)]).toEqual([part, Remedy.BACK_OFF]);
        await server.restart(part);
        await until('contacts answer', async () => (await alice.client.errorOf(Contacts.method.request, { name: 'zoe' })) === undefined);
        await client.close();
      },
      60_000,
    );
  }

  it('invites others, and looks like one who is away to its contacts when it is deleted', async () => {
    const { code } = await alice.client.call(Invites.method.create, { name: 'carol' });
    const client = await connect();
    const session = await client.call(Accounts.method.register, registerRequest(client, 'carol', code));
    expect(session.name).toBe('carol');
    const carol: WireDevice = { ...alice, client, session };
    await client.call(Sessions.method.attach, { accessToken: session.accessToken, deliveryKey: carol.deliveryKey });
    const token = tokenFor(carol);
    const expires = BigInt(Math.floor(Date.now() / 1_000) + 3_600);
    const published = { keyPackage: token, cipherSuite: 1, expires, capability: token.subarray(0, 16) };
    await client.call(KeyPackages.method.publish, { lastResort: published });
    await client.call(Contacts.method.request, { name: 'alice' });
    await alice.client.call(Contacts.method.accept, { name: 'carol' });
    const seen = async () => (await alice.client.call(Contacts.method.list, {})).contacts[0];
    await until('carol is there', async () => (await seen())?.online === true);
    const before = (await seen())!;
    await client.call(Accounts.method.deleteAccount, { password: PASSWORD });
    expect((await client.closed).code).toBe(4_003);
    await until('carol is away', async () => (await seen())?.online === false);
    expect(await seen()).toEqual({ ...before, online: false });
    const claim = { account: session.account, cipherSuite: 1 };
    expect((await alice.client.call(KeyPackages.method.claim, claim)).keyPackages).toMatchObject([{ keyPackage: token }]);
  });
});
