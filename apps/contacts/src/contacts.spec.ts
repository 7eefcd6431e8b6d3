import 'reflect-metadata';
import { create, type DescMethodUnary, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { gatewayEventSubject } from '@sotto/platform/leases';
import { AccountEvents, DEVICE_ROUTE_STORE, type DeviceRouteStore, LEASE_STORE, type LeaseStore } from '@sotto/platform/live-state';
import { BusRpcServer, RpcClient, type RpcCaller } from '@sotto/platform/rpc';
import { PlatformModule } from '@sotto/platform/service';
import { Contacts, ContactState, contractOf, ErrorCode, type Event, fromHex, LIMITS, toHex } from '@sotto/protocol';
import { ContactLookup, DeviceChangedSchema, GatewayEventSchema } from '@sotto/protocol/internal';
import { CONTACT_STORE, type ContactStore } from './contacts/contact.store.js';
import {
  AccountsParty,
  CAPABILITY,
  GATEWAY,
  gone,
  idOf,
  inOneProcess,
  keyOf,
  LedgerParty,
  type Name,
  NAMES,
  onServers,
  type Parts,
  Root,
} from './contacts.contract.js';
import { ContactsModule, contactsConfigSchema } from './index.js';

const DAMPING_MS = 250;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(check: () => boolean): Promise<void> {
  for (let i = 0; i < 700 && !check(); i++) await pause(10);
  expect(check()).toBe(true);
}

function contactsStory(topology: string, open: () => Promise<Parts>): void {
  describe(`contacts ${topology}`, () => {
    let parts: Parts;
    let app: INestMicroservice;
    let routes: DeviceRouteStore;
    let leases: LeaseStore;
    let heard: { account: string; event: Event }[] = [];
    /** What was said to all gateways. */
    const said: string[] = [];
    /** Subjects of what contacts asks others. */
    const asked: string[] = [];
    /** How many accounts were told something, or nobody with the same look-ups. */
    let told = 0;

    beforeAll(async () => {
      parts = await open();
      const { bus } = parts;
      bus.subscribe('contacts.*', (_, subject) => said.push(subject));
      const request = bus.request.bind(bus);
      bus.request = (subject, ...rest) => (asked.push(subject), request(subject, ...rest));
      const config = contactsConfigSchema.parse({ PRESENCE_DAMPING_MS: String(DAMPING_MS) });
      const imports = [PlatformModule.forRoot({ ...parts, serviceName: 'contacts' }), ContactsModule.forRoot(config)];
      const controllers = [AccountsParty, LedgerParty];
      app = await NestFactory.createMicroservice(
        { module: Root, imports, controllers },
        { strategy: new BusRpcServer(parts.bus), logger: false, abortOnError: false },
      );
      await app.listen();
      routes = app.get<DeviceRouteStore>(DEVICE_ROUTE_STORE);
      leases = app.get<LeaseStore>(LEASE_STORE);
      const events = app.get(AccountEvents, { strict: false });
      const toAccount = events.toAccount.bind(events);
      events.toAccount = (...event) => toAccount(...event).finally(() => told++);
      await leases.claim('gateway', GATEWAY, 600_000);
      parts.bus.subscribe(gatewayEventSubject(GATEWAY), (payload) => {
        const { account, event } = fromBinary(GatewayEventSchema, payload);
        heard.push({ account: toHex(account), event: event! });
      });
    }, 180_000);
    afterAll(async () => {
      await app?.close();
      await parts?.close();
    }, 60_000);
    beforeEach(forgetAll);

    /** Nobody is there, nobody has a contact, nothing was heard. */
    async function forgetAll(): Promise<void> {
      for (const name of NAMES) await disconnect(name);
      await pause(DAMPING_MS + 100);
      await parts.database.client.contact.deleteMany();
      heard = [];
      LedgerParty.asked.length = 0;
    }

    const clientOf = (): RpcClient => new RpcClient(parts.bus, { service: 'tester' });

    async function bytes<M extends DescMethodUnary>(name: Name, method: M, request: MessageInitShape<M['input']>) {
      const caller: RpcCaller = {
        account: idOf(name),
        device: idOf(name),
        pending: false,
        channelBinding: new Uint8Array(32),
        address: '',
        service: '',
      };
      return clientOf().forward(contractOf(method), toBinary<M['input']>(method.input, create<M['input']>(method.input, request)), caller);
    }

    async function as<M extends DescMethodUnary>(
      name: Name,
      method: M,
      request: MessageInitShape<M['input']>,
    ): Promise<MessageShape<M['output']>> {
      const reply = await bytes(name, method, request);
      if (reply.error !== undefined) throw new Error(ErrorCode[reply.error.code]);
      return fromBinary<M['output']>(method.output, reply.body);
    }

    /** What is done until nothing is for a time in which whoever is told later is told, and a way to the servers and back. */
    async function takeSteps(): Promise<string[]> {
      const steps: string[] = [];
      for (let more = true; more;) {
        await pause(200);
        await parts.database.ping();
        const done = [...asked.splice(0), ...(await Promise.all(parts.steps.map((recorder) => recorder.take()))).flat()];
        more = done.some((step) => step !== 'SELECT 1');
        steps.push(...done.filter((step) => step !== 'SELECT 1'));
      }
      return steps.sort();
    }

    /** What a request takes, to its last step: of the two ends, each is told, or nobody in its place. */
    async function stepsOfRequest<T>(request: () => Promise<T>): Promise<[string[], T]> {
      await takeSteps();
      told = 0;
      const reply = await request();
      await until(() => told >= 2);
      return [await takeSteps(), reply];
    }

    const list = async (name: Name) => (await as(name, Contacts.method.list, {})).contacts;
    const listBytes = async (name: Name): Promise<string> => {
      const contacts = await list(name);
      return JSON.stringify(
        contacts.map((contact) => ({
          ...contact,
          name: '',
          changed: 0,
          account: toHex(contact.account),
          identityKey: toHex(contact.identityKey),
        })),
      );
    };

    async function befriend(asker: Name, other: Name): Promise<void> {
      await as(asker, Contacts.method.request, { name: other });
      await as(other, Contacts.method.accept, { name: asker });
    }

    async function connect(name: Name, invisible = false, gateway = GATEWAY): Promise<void> {
      const route = {
        device: idOf(name),
        account: idOf(name),
        gateway,
        connection: 1,
        deliveryKey: new Uint8Array(32),
        revokedCapabilities: new Uint8Array(),
        invisible,
      };
      await routes.attach(route);
      changed(name, true, invisible);
    }

    async function disconnect(name: Name): Promise<void> {
      await routes.detach(idOf(name), GATEWAY, 1, 1_000);
      changed(name, false, false);
    }

    function changed(name: Name, online: boolean, invisible: boolean): void {
      const message = create(DeviceChangedSchema, {
        account: fromHex(idOf(name)),
        device: fromHex(idOf(name)),
        online,
        gateway: GATEWAY,
        connection: 1,
        invisible,
      });
      parts.bus.publish('device.changed', toBinary(DeviceChangedSchema, message));
    }

    const presenceHeardBy = (name: Name): string[] =>
      heard.flatMap(({ account, event }) =>
        account === idOf(name) && event.kind.case === 'presence' ? [`${toHex(event.kind.value.account)} ${event.kind.value.online}`] : [],
      );

    it('makes a contact of a request that is accepted, and gives both the id and the key', async () => {
      await as('alice', Contacts.method.request, { name: 'bob' });
      expect(await list('alice')).toMatchObject([{ name: 'bob', state: ContactState.PENDING }]);
      expect(await list('bob')).toMatchObject([{ name: 'alice', state: ContactState.REQUESTED, identityKey: keyOf('alice') }]);
      const { contact } = await as('bob', Contacts.method.accept, { name: 'alice' });
      expect(contact).toMatchObject({
        name: 'alice',
        state: ContactState.ACCEPTED,
        account: fromHex(idOf('alice')),
        identityKey: keyOf('alice'),
        acceptedByMe: true,
      });
      expect(await list('alice')).toMatchObject([
        { name: 'bob', state: ContactState.ACCEPTED, account: fromHex(idOf('bob')), identityKey: keyOf('bob'), acceptedByMe: false },
      ]);
    });

    it('takes two opposite requests as an acceptance, even at the same moment', async () => {
      await Promise.all([as('alice', Contacts.method.request, { name: 'bob' }), as('bob', Contacts.method.request, { name: 'alice' })]);
      const sides = [...(await list('alice')), ...(await list('bob'))];
      expect(sides.map(({ state }) => state)).toEqual([ContactState.ACCEPTED, ContactState.ACCEPTED]);
      expect(sides.filter(({ acceptedByMe }) => acceptedByMe)).toHaveLength(1);
    });

    it('answers a request to nobody, a stranger, a blocker, oneself and a contact with the same bytes', async () => {
      await befriend('alice', 'dave');
      await as('carol', Contacts.method.block, { name: 'alice' });
      const replies = [];
      for (const name of ['nobody_here', 'bob', 'carol', 'alice', 'dave', 'bob'])
        replies.push(await bytes('alice', Contacts.method.request, { name }));
      for (const reply of replies) expect([reply.body.length, reply.error]).toEqual([0, undefined]);
    });

    it('takes the same steps for a request to nobody, to a stranger who is there, to one who is away and to a blocker', async () => {
      await as('carol', Contacts.method.block, { name: 'alice' });
      await connect('bob');
      const steps: string[][] = [];
      for (const name of ['nobody_here', 'bob', 'carol', 'dave'])
        steps.push((await stepsOfRequest(() => as('alice', Contacts.method.request, { name })))[0]);
      expect(steps[0]!.length).toBeGreaterThan(parts.steps.length === 0 ? 2 : 10);
      for (const other of steps.slice(1)) expect(other).toEqual(steps[0]);
      expect(heard.some(({ account, event }) => account === idOf('bob') && event.kind.case === 'contact')).toBe(true);
    }, 60_000);

    it('lists a request to nobody, to one who declined and to one who blocked alike, then and later', async () => {
      const seen: string[] = [];
      for (const name of ['nobody_here', 'bob', 'carol']) {
        await parts.database.client.contact.deleteMany();
        if (name === 'carol') await as('carol', Contacts.method.block, { name: 'alice' });
        await as('alice', Contacts.method.request, { name });
        if (name === 'bob') await as('bob', Contacts.method.decline, { name: 'alice' });
        await as('alice', Contacts.method.request, { name });
        seen.push(await listBytes('alice'));
        const refused = await bytes('alice', Contacts.method.accept, { name });
        seen[seen.length - 1] += toHex(refused.error!.code === ErrorCode.FORBIDDEN ? Uint8Array.of(1) : Uint8Array.of(0));
        await as('alice', Contacts.method.remove, { name });
        expect(await list('alice')).toEqual([]);
      }
      expect(new Set(seen).size).toBe(1);
      expect(await list('carol')).toMatchObject([{ name: 'alice', state: ContactState.BLOCKED }]);
    });

    /** What alice's former contact has done before she asks again. */
    const MEANWHILE = {
      nothing: async () => undefined,
      removed: () => as('bob', Contacts.method.remove, { name: 'alice' }),
      blocked: () => as('bob', Contacts.method.block, { name: 'alice' }),
      deleted: async () => {
        await clientOf().call(ContactLookup.method.accountChanged, { account: fromHex(idOf('bob')), deleted: true });
        gone.add('bob');
      },
    };
    const GIVE_UP = {
      remove: () => as('alice', Contacts.method.remove, { name: 'bob' }),
      block: async () => {
        await as('alice', Contacts.method.block, { name: 'bob' });
        await as('alice', Contacts.method.unblock, { name: 'bob' });
      },
    };

    it.each(Object.entries(GIVE_UP))(
      'gives a former contact back alike after a %s, whatever it has done meanwhile',
      async (_how, giveUp) => {
        const seen: string[] = [];
        const steps: string[][] = [];
        const other: ContactState[][] = [];
        for (const end of Object.values(MEANWHILE)) {
          await parts.database.client.contact.deleteMany();
          await befriend('alice', 'bob');
          await end();
          await giveUp();
          expect(await list('alice')).toEqual([]);
          const [taken, { body, error }] = await stepsOfRequest(() => bytes('alice', Contacts.method.request, { name: 'bob' }));
          steps.push(taken);
          seen.push(toHex(body) + String(error) + (await listBytes('alice')));
          other.push((await list('bob')).map(({ state }) => state));
          gone.clear();
        }
        expect(new Set(seen).size).toBe(1);
        expect(await list('alice')).toMatchObject([{ name: 'bob', state: ContactState.ACCEPTED, online: false }]);
        for (const each of steps) expect(each).toEqual(steps[0]);
        expect(other).toEqual([[ContactState.ACCEPTED], [ContactState.REQUESTED], [ContactState.BLOCKED], []]);
      },
      60_000,
    );

    it('makes contacts again of two who both ended it, once one has asked and the other accepts, and forgets who was one after a year', async () => {
      await befriend('alice', 'bob');
      for (const [name, other] of [
        ['alice', 'bob'],
        ['bob', 'alice'],
      ] as const)
        await as(name, Contacts.method.remove, { name: other });
      await as('alice', Contacts.method.request, { name: 'bob' });
      await as('bob', Contacts.method.accept, { name: 'alice' });
      const mayClaim = { claimer: fromHex(idOf('bob')), owner: fromHex(idOf('alice')) };
      expect(await clientOf().call(ContactLookup.method.mayClaim, mayClaim)).toMatchObject({ allowed: true, revoke: false });
      await as('alice', Contacts.method.remove, { name: 'bob' });
      const store = app.get<ContactStore>(CONTACT_STORE, { strict: false });
      const now = Date.now();
      expect([await store.purge(now, now - 60_000), await store.purge(now, now + 60_000)]).toEqual([0, 1]);
    });

    it('lets the 100th open request through and refuses the next, whoever it goes to', async () => {
      const requestedAt = new Date();
      await parts.database.client.contact.createMany({
        data: Array.from({ length: 99 }, (_, i) => ({
          owner: idOf('alice'),
          peerName: `name_${i}`,
          state: 'PENDING' as const,
          requestedAt,
        })),
      });
      await as('alice', Contacts.method.request, { name: 'nobody_here' });
      for (const name of ['bob', 'nobody_else'])
        await expect(as('alice', Contacts.method.request, { name })).rejects.toThrow('LIMIT_REACHED');
    });

    it('leaves a request to a full inbox pending without a word', async () => {
      await parts.database.client.contact.createMany({
        data: Array.from({ length: 100 }, (_, i) => ({
          owner: idOf('bob'),
          peerName: `name_${i}`,
          peer: idOf('dave'),
          state: 'REQUESTED' as const,
        })),
      });
      await as('alice', Contacts.method.request, { name: 'bob' });
      expect(await list('alice')).toMatchObject([{ name: 'bob', state: ContactState.PENDING }]);
      expect((await list('bob')).some(({ name }) => name === 'alice')).toBe(false);
    });

    it('counts a request as gone after 90 days, on both sides', async () => {
      await as('alice', Contacts.method.request, { name: 'bob' });
      await parts.database.client.contact.updateMany({ data: { requestedAt: new Date(Date.now() - 91 * 24 * 3_600_000) } });
      expect([await list('alice'), await list('bob')]).toEqual([[], []]);
      await expect(as('bob', Contacts.method.accept, { name: 'alice' })).rejects.toThrow('FORBIDDEN');
      await as('alice', Contacts.method.request, { name: 'bob' });
      expect(await list('bob')).toMatchObject([{ name: 'alice', state: ContactState.REQUESTED }]);
    });

    it('shows one who was removed or blocked an offline contact, answers claims on it and revokes them', async () => {
      const mayClaim = () =>
        clientOf().call(ContactLookup.method.mayClaim, { claimer: fromHex(idOf('alice')), owner: fromHex(idOf('bob')) });
      expect(await mayClaim()).toMatchObject({ allowed: false });
      await befriend('alice', 'bob');
      await connect('alice');
      await connect('bob');
      await until(() => presenceHeardBy('alice').includes(`${idOf('bob')} true`));
      expect(await mayClaim()).toMatchObject({ allowed: true, revoke: false });
      expect(await list('alice')).toMatchObject([{ name: 'bob', online: true }]);
      const { revokeCapabilities } = await as('bob', Contacts.method.block, { name: 'alice' });
      expect(revokeCapabilities).toEqual([CAPABILITY]);
      await until(() => presenceHeardBy('alice').includes(`${idOf('bob')} false`));
      expect(await list('alice')).toMatchObject([{ name: 'bob', state: ContactState.ACCEPTED, online: false, identityKey: keyOf('bob') }]);
      expect(await mayClaim()).toMatchObject({ allowed: true, revoke: true });
      await as('bob', Contacts.method.unblock, { name: 'alice' });
      expect(await list('bob')).toEqual([]);
      expect(heard.filter(({ account, event }) => account === idOf('alice') && event.kind.case === 'contact')).toEqual([]);
    });

    it('tells one who is removed or blocked of it as of a leave: as late, once, and not when no leave would be told', async () => {
      for (const name of ['bob', 'carol', 'dave'] as const) await befriend('alice', name);
      for (const name of ['alice', 'bob', 'carol'] as const) await connect(name);
      await connect('dave', true);
      await until(() => presenceHeardBy('alice').length === 2);
      heard = [];
      await as('dave', Contacts.method.block, { name: 'alice' });
      await disconnect('carol');
      // Told at once it would come first, and as late as of a leave second.
      await pause(DAMPING_MS / 2);
      await as('bob', Contacts.method.block, { name: 'alice' });
      await disconnect('bob');
      await until(() => presenceHeardBy('alice').length === 2);
      await pause(400);
      expect(presenceHeardBy('alice')).toEqual([`${idOf('carol')} false`, `${idOf('bob')} false`]);
    });

    it.each([
      ['ended the contact as well', Contacts.method.remove, 'bob', 'alice'],
      ['has it again by then', Contacts.method.request, 'alice', 'bob'],
    ] as const)('tells no leave to one who %s', async (_how, method, by, of) => {
      let tookMs: number;
      do {
        await forgetAll();
        await befriend('alice', 'bob');
        await connect('bob');
        await connect('alice');
        await until(() => presenceHeardBy('bob').length === 1);
        heard = [];
        const from = performance.now();
        await as('alice', Contacts.method.remove, { name: 'bob' });
        await as(by, method, { name: of });
        tookMs = performance.now() - from;
        // On a busy machine the leave may be told before the second is done: that shows nothing.
      } while (tookMs > DAMPING_MS / 2);
      await pause(DAMPING_MS + 150);
      expect(presenceHeardBy('bob')).toEqual([]);
    });

    it('shows an account that is deleted to its contacts as one that leaves', async () => {
      await befriend('alice', 'bob');
      await befriend('alice', 'carol');
      for (const name of ['bob', 'carol', 'alice'] as const) await connect(name);
      await until(() => presenceHeardBy('bob').length === 1 && presenceHeardBy('carol').length > 0);
      heard = [];
      await disconnect('alice');
      await clientOf().call(ContactLookup.method.accountChanged, { account: fromHex(idOf('alice')), deleted: true });
      expect([presenceHeardBy('bob'), presenceHeardBy('carol')]).toEqual([[], []]);
      await until(() => presenceHeardBy('bob').length > 0 && presenceHeardBy('carol').length > 0);
      await pause(400);
      expect([presenceHeardBy('bob'), presenceHeardBy('carol')]).toEqual([[`${idOf('alice')} false`], [`${idOf('alice')} false`]]);
    });

    it('tells a new key to whoever has the account in the list, removed or not, and keeps showing one that is gone', async () => {
      await befriend('alice', 'bob');
      await befriend('alice', 'carol');
      for (const name of ['bob', 'carol'] as const) await connect(name);
      await as('alice', Contacts.method.remove, { name: 'carol' });
      heard = [];
      await clientOf().call(ContactLookup.method.accountChanged, { account: fromHex(idOf('alice')), identityKeyChanged: true });
      const told = () => heard.filter(({ event }) => event.kind.case === 'contact').map(({ account }) => account);
      await until(() => told().length === 2);
      expect(told().sort()).toEqual([idOf('bob'), idOf('carol')]);
      const before = await list('bob');
      gone.add('alice');
      expect(await list('bob')).toEqual(before);
      await expect(as('alice', Contacts.method.request, { name: 'dave' })).rejects.toThrow('UNAUTHENTICATED');
      gone.clear();
    });

    it('looks up as little to tell a new key to many as to few', async () => {
      const stepsWith = async (holders: number): Promise<string[]> => {
        const owners = Array.from({ length: holders }, (_, i) => i.toString(16).padStart(32, 'f'));
        const row = { peerName: 'alice', peer: idOf('alice'), state: 'ACCEPTED' as const };
        await parts.database.client.contact.createMany({ data: owners.map((owner) => ({ ...row, owner })), skipDuplicates: true });
        await takeSteps();
        await clientOf().call(ContactLookup.method.accountChanged, { account: fromHex(idOf('alice')), identityKeyChanged: true });
        return [...asked, ...((await parts.steps.at(-1)?.take()) ?? [])].sort();
      };
      const few = await stepsWith(2);
      expect(await stepsWith(200)).toEqual(few);
    });

    it('refuses one more contact than a list may have, whoever would accept it', async () => {
      await as('bob', Contacts.method.request, { name: 'alice' });
      await as('alice', Contacts.method.decline, { name: 'bob' });
      await parts.database.client.$executeRaw`
        INSERT INTO contacts (owner, peer_name, state) SELECT ${idOf('alice')}, 'name_' || i, 'BLOCKED' FROM generate_series(1, ${LIMITS.contactsPerAccount}::int) AS i`;
      for (const name of ['bob', 'nobody_here'])
        await expect(as('alice', Contacts.method.request, { name })).rejects.toThrow('LIMIT_REACHED');
      await as('dave', Contacts.method.request, { name: 'alice' });
      await expect(as('alice', Contacts.method.accept, { name: 'dave' })).rejects.toThrow('LIMIT_REACHED');
    });

    it('ends the right to claim later than it began, and in the ledger too, for a contact that is removed or blocked', async () => {
      const right = () => clientOf().call(ContactLookup.method.mayClaim, { claimer: fromHex(idOf('alice')), owner: fromHex(idOf('bob')) });
      const keepCapabilities = [new Uint8Array(16).fill(8)];
      for (const method of [Contacts.method.remove, Contacts.method.block]) {
        await befriend('alice', 'bob');
        const { allowed, revoke, since } = await right();
        expect({ allowed, revoke }).toEqual({ allowed: true, revoke: false });
        // The clock of the replica that accepted was ahead.
        await parts.database.client.contact.updateMany({ data: { changedAt: new Date(Date.now() + 60_000) } });
        const ahead = (await right()).since;
        expect(ahead).toBeGreaterThan(since);
        await as('bob', method, { name: 'alice', keepCapabilities });
        const asked = LedgerParty.asked.at(-1)!;
        expect([toHex(asked.owner), toHex(asked.claimer), asked.keep]).toEqual([idOf('bob'), idOf('alice'), keepCapabilities]);
        expect(asked.ended).toBeGreaterThan(ahead);
        expect(await right()).toMatchObject({ allowed: true, revoke: true });
        await parts.database.client.contact.deleteMany();
      }
      await expect(as('bob', Contacts.method.remove, { name: 'alice', keepCapabilities: [new Uint8Array(15)] })).rejects.toThrow(
        'MALFORMED',
      );
    });

    it('asks the ledger alike when a name that nobody has is removed or blocked', async () => {
      for (const method of [Contacts.method.remove, Contacts.method.block]) {
        for (const name of ['nobody_here', 'dave']) await as('bob', method, { name });
      }
      expect(LedgerParty.asked.map(({ claimer }) => claimer.length)).toEqual([16, 16, 16, 16]);
    });

    it('tells contacts of a device that goes, but not of one that is back at once, nor of an invisible one', async () => {
      await befriend('alice', 'bob');
      await as('carol', Contacts.method.request, { name: 'alice' });
      for (const name of ['bob', 'carol', 'alice'] as const) await connect(name);
      await until(() => presenceHeardBy('bob').length === 1);
      await disconnect('alice');
      await connect('alice');
      await pause(400);
      expect(presenceHeardBy('bob')).toEqual([`${idOf('alice')} true`]);
      await disconnect('alice');
      await until(() => presenceHeardBy('bob').length === 2);
      await connect('alice', true);
      await pause(400);
      expect(presenceHeardBy('bob')).toEqual([`${idOf('alice')} true`, `${idOf('alice')} false`]);
      expect(await list('bob')).toMatchObject([{ name: 'alice', online: false }]);
      expect(presenceHeardBy('carol')).toEqual([]);
    });

    it('lists as online whoever was told to be, until it is told otherwise', async () => {
      await befriend('alice', 'bob');
      for (const name of ['alice', 'bob'] as const) await connect(name);
      await until(() => presenceHeardBy('alice').length === 1);
      await disconnect('bob');
      expect(await list('alice')).toMatchObject([{ name: 'bob', online: true }]);
      await connect('bob');
      await pause(400);
      expect(presenceHeardBy('alice')).toEqual([`${idOf('bob')} true`]);
      await disconnect('bob');
      await until(() => presenceHeardBy('alice').length === 2);
      expect(await list('alice')).toMatchObject([{ name: 'bob', online: false }]);
    });

    it('lists one who is removed or blocked as one who leaves: what was told stands until the leave is', async () => {
      for (const name of ['bob', 'carol'] as const) await befriend('alice', name);
      for (const name of ['alice', 'bob', 'carol'] as const) await connect(name);
      await until(() => presenceHeardBy('alice').length === 2);
      const end = { name: 'alice' };
      await Promise.all([as('bob', Contacts.method.block, end), as('carol', Contacts.method.remove, end)]);
      const listedAsGone = (await list('alice')).filter(({ online }) => !online);
      // None is told so soon, but on a busy machine; and what is told is on its way for a moment.
      await pause(150);
      expect(listedAsGone.length).toBeLessThanOrEqual(presenceHeardBy('alice').length - 2);
      await until(() => presenceHeardBy('alice').length === 4);
      expect((await list('alice')).map(({ online }) => online)).toEqual([false, false]);
    });

    it('lists those as online whose gateway has lost its lease for a moment, and tells of them if it stays away', async () => {
      const LAPSING = 80;
      await leases.claim('gateway', LAPSING, 600_000);
      await pause(1_200);
      await befriend('alice', 'bob');
      await connect('alice');
      await connect('bob', false, LAPSING);
      await until(() => presenceHeardBy('alice').length === 1);
      await leases.release('gateway', LAPSING);
      expect(await list('alice')).toMatchObject([{ name: 'bob', online: true }]);
      await until(() => presenceHeardBy('alice').length === 2);
      expect(await list('alice')).toMatchObject([{ name: 'bob', online: false }]);
    });

    it('takes back what it told of one who had gone before a late word of its coming was heard', async () => {
      await befriend('alice', 'bob');
      await connect('alice');
      // A replica that hung hears now that he came; that he left, another has heard.
      changed('bob', true, false);
      await until(() => presenceHeardBy('alice').length === 2);
      expect(presenceHeardBy('alice')).toEqual([`${idOf('bob')} true`, `${idOf('bob')} false`]);
      expect(await list('alice')).toMatchObject([{ name: 'bob', online: false }]);
    });

    it('has said that it is there, to gateways whose devices may have missed something', async () => {
      await until(() => said.length > 0);
      expect(said).toEqual(['contacts.resumed']);
    });

    it('tells contacts of those whose gateway died', async () => {
      const DYING = 79;
      await leases.claim('gateway', DYING, 600_000);
      await pause(1_200);
      await befriend('alice', 'bob');
      await connect('bob');
      await connect('alice', false, DYING);
      await until(() => presenceHeardBy('bob').length === 1);
      await leases.release('gateway', DYING);
      await until(() => presenceHeardBy('bob').includes(`${idOf('alice')} false`));
    });
  });
}

contactsStory('in one process', inOneProcess);
contactsStory('over NATS, Redis and Postgres', onServers);
