import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Approval } from '@sotto/client';
import { Accounts, ErrorCode, KeyPackages, Sessions } from '@sotto/protocol';
import { type Server, startServer } from '../harness/dist/index.js';
import { becomeContacts, contactOf, Person, until } from './people.js';
import { itMainlyOn } from './topologies.js';
import { PASSWORD, WireClient } from './wire-client.js';

/** Milliseconds, on a machine that has other things to do. */
const LONG = 120_000;
const PASSPHRASE = 'a passphrase for the drawer';

async function heard(person: Person, stage: Approval['stage'], from = 0): Promise<Approval> {
  const found = () => person.approvals.slice(from).find((each) => each.stage === stage);
  const story = () => JSON.stringify([person.approvals, person.problems]);
  await until(`${person.name} hears ${stage}`, () => found() !== undefined, 20_000, story);
  return found()!;
}

/** From the log-in of a new device to its being let in by another. */
async function letsIn(phone: Person, tablet: Person): Promise<{ ofPhone: Approval; ofTablet: Approval }> {
  const from = phone.approvals.length;
  await tablet.sdk.approvals.ask('the tablet');
  const { device } = await heard(phone, 'asked', from);
  await phone.sdk.approvals.answer(device);
  const [ofPhone, ofTablet] = await Promise.all([heard(phone, 'compare', from), heard(tablet, 'compare')]);
  await phone.sdk.approvals.approve(device, ofTablet.code!);
  await tablet.sdk.approvals.approve(device, ofPhone.code!);
  await heard(tablet, 'approved');
  return { ofPhone, ofTablet };
}

describe.each(['standalone', 'services'] as const)('the devices of an account on %s', (kind) => {
  /** Devices do it among themselves. */
  const itOnServices = itMainlyOn('services', kind);
  let server: Server;
  const people: Person[] = [];
  const remember = async (coming: Promise<Person>): Promise<Person> => {
    const person = await coming;
    people.push(person);
    return person;
  };
  const registers = (name: string) => remember(Person.registers(server, name));
  const logsIn = (name: string) => remember(Person.logsIn(server, name));

  beforeAll(async () => {
    server = await startServer(kind);
  }, 180_000);

  afterAll(async () => {
    await Promise.all(people.map((person) => person.leaves()));
    await server?.stop();
  }, 30_000);

  it(
    'let a new one in when the user has seen the same code on both',
    async () => {
      const phone = await registers('alice');
      const tablet = await logsIn('alice');
      expect(tablet.sdk.account).toMatchObject({ pending: true });
      const { ofPhone, ofTablet } = await letsIn(phone, tablet);
      expect(ofPhone).toMatchObject({ device: tablet.sdk.account!.device, name: 'the tablet' });
      expect(ofPhone.code).toBe(ofTablet.code);
      expect(tablet.sdk.account).toMatchObject({ pending: false, account: phone.sdk.account!.account });
      await until('both are connected', async () => (await phone.sdk.devices()).filter(({ online }) => online).length === 2);
    },
    LONG,
  );

  itOnServices(
    'read and write with the account’s contacts once they are let in, and leave a group together',
    async () => {
      const [phone, bert] = await Promise.all([registers('agnes'), registers('bert')]);
      await becomeContacts(phone, bert);
      await bert.sdk.send('agnes', 'before');
      await until('the phone has it', () => phone.textsFrom('bert').includes('before'));
      const tablet = await logsIn('agnes');
      await letsIn(phone, tablet);
      await until('the tablet has the contacts', () => contactOf(tablet, 'bert')?.status === 'accepted');
      await tablet.sdk.send('bert', 'from my tablet');
      await until('bert has it', () => bert.textsFrom('agnes').includes('from my tablet'), 40_000);
      await bert.sdk.send('agnes', 'to all of yours');
      const story = () => JSON.stringify([phone.problems, tablet.problems, bert.problems, bert.deliveries]);
      await until('the tablet has it', () => tablet.textsFrom('bert').includes('to all of yours'), 40_000, story);
      await until('the phone has it', () => phone.textsFrom('bert').includes('to all of yours'), 40_000, story);
      const tea = await bert.sdk.groups.create('tea', ['agnes']);
      const inside = (person: Person) => person.sdk.groups.all().some(({ id }) => id === tea);
      const members = () => bert.sdk.groups.get(tea).members.map(({ name, devices }) => `${name} ${devices.length}`);
      await until('both are in', () => inside(phone) && inside(tablet) && members().includes('agnes 2'), 40_000, story);
      await phone.sdk.groups.leave(tea);
      await until('both are out', () => !inside(phone) && !inside(tablet), 40_000, story);
      await until(
        'bert is alone',
        () => members().join() === 'bert 1',
        40_000,
        () => members().join(),
      );
    },
    LONG,
  );

  itOnServices(
    'know the account key afterwards: the new one writes the recovery file, and lets in a third',
    async () => {
      const [phone, tablet] = people as [Person, Person, ...Person[]];
      const boris = await registers('boris');
      await becomeContacts(phone, boris);
      const groups = [await phone.sdk.groups.create('tea', ['boris']), await boris.sdk.groups.create('chess', ['alice'])];
      const file = await tablet.sdk.recoveryFile(PASSPHRASE);
      const laptop = await logsIn('alice');
      await expect(laptop.sdk.confirmByRecoveryFile(file, 'another passphrase')).rejects.toMatchObject({ reason: 'wrong-passphrase' });
      expect((await laptop.sdk.confirmByRecoveryFile(file, PASSPHRASE)).pending).toBe(false);
      await until('three are there', async () => (await phone.sdk.devices()).filter(({ online }) => online).length === 3);
      const groupsOf = (person: Person) => person.sdk.groups.all().map(({ id }) => id);
      const story = () => JSON.stringify([groupsOf(laptop), phone.problems, laptop.problems, boris.problems]);
      await until('the third is in all groups', () => groups.every((group) => groupsOf(laptop).includes(group)), 60_000, story);
      for (const group of groups) await boris.sdk.groups.send(group, `in ${group}`);
      const texts = groups.map((group) => `in ${group}`);
      await until('it reads what is new there', () => texts.every((text) => laptop.textsFrom('boris').includes(text)), 60_000, story);
    },
    LONG,
  );

  itOnServices(
    'hear at their next connection of one that asked while they were away',
    async () => {
      const phone = await registers('anna');
      await phone.leaves();
      const tablet = await logsIn('anna');
      await tablet.sdk.approvals.ask('the tablet');
      await phone.returns();
      expect(await heard(phone, 'asked')).toMatchObject({ name: 'the tablet' });
      await phone.sdk.approvals.refuse(tablet.sdk.account!.device);
      await heard(tablet, 'refused');
      expect(tablet.sdk.account).toMatchObject({ pending: true });
    },
    LONG,
  );

  it(
    'keep one out that the user does not know, at once',
    async () => {
      const phone = await registers('anton');
      const thief = await logsIn('anton');
      await thief.sdk.approvals.ask('totally the tablet');
      const { device } = await heard(phone, 'asked');
      await phone.sdk.revokeDevice(device);
      await until('its session is over', () => thief.problems.some(({ code }) => code === 'session-revoked'));
      await heard(phone, 'ended');
      expect(await phone.sdk.devices()).toContainEqual({ device, own: false, online: false, pending: false, revoked: true });
    },
    LONG,
  );

  it(
    'publish nothing and reach nobody while they wait',
    async () => {
      await registers('arno');
      const client = await WireClient.connect(server.url, server.pin);
      const deviceAuthKey = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }).subarray(12);
      const session = await client.call(Accounts.method.logIn, { name: 'arno', password: PASSWORD, deviceAuthKey });
      await client.call(Sessions.method.attach, { accessToken: session.accessToken, deliveryKey: new Uint8Array(32) });
      expect(session.pending).toBe(true);
      for (const [method, request] of [
        [KeyPackages.method.publish, {}],
        [KeyPackages.method.claim, { account: session.account, cipherSuite: 1 }],
        [Accounts.method.revokeDevice, { device: session.device }],
      ] as const)
        expect(await client.errorOf(method, request)).toBe(ErrorCode.DEVICE_PENDING);
      await client.close();
    },
    LONG,
  );

  itOnServices(
    'refuse the recovery file of another account',
    async () => {
      const file = await people[0]!.sdk.recoveryFile(PASSPHRASE);
      await registers('astrid');
      const tablet = await logsIn('astrid');
      await expect(tablet.sdk.confirmByRecoveryFile(file, PASSPHRASE)).rejects.toMatchObject({ reason: 'bad-recovery-file' });
      expect(tablet.sdk.account).toMatchObject({ pending: true });
    },
    LONG,
  );

  itOnServices(
    'that lost everything make a new account key, which a contact must confirm before they talk again',
    async () => {
      const [phone, bob] = await Promise.all([registers('carol'), registers('bob')]);
      await becomeContacts(phone, bob);
      await bob.sdk.send('carol', 'hello');
      await until('carol has it', () => phone.textsFrom('bob').includes('hello'));
      const before = bob.sdk.safetyNumber('carol');
      await phone.leaves();
      const tablet = await logsIn('carol');
      await expect(tablet.sdk.resetIdentity('not her passphrase')).rejects.toMatchObject({ code: ErrorCode.WRONG_PASSWORD });
      expect((await tablet.sdk.resetIdentity(PASSWORD)).pending).toBe(false);
      await until('bob is warned', () => bob.problems.some(({ code, contact }) => code === 'key-changed' && contact === 'carol'));
      expect(contactOf(bob, 'carol')?.changedKey).toBeDefined();
      expect(bob.sdk.safetyNumber('carol')).not.toBe(before);
      await until('they have the same number', () => {
        const ofTablet = contactOf(tablet, 'bob')?.status === 'accepted' ? tablet.sdk.safetyNumber('bob') : '';
        return ofTablet === bob.sdk.safetyNumber('carol');
      });
      const id = await bob.sdk.send('carol', 'is it you?');
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(tablet.textsFrom('bob')).toEqual([]);
      await bob.sdk.confirmKey('carol');
      await until(
        'the new device has it',
        () => tablet.textsFrom('bob').includes('is it you?'),
        40_000,
        () => JSON.stringify([bob.problems, bob.deliveries, tablet.problems]),
      );
      await until('bob has the receipt', () => bob.statusesOf(id).includes('delivered'));
      await phone.returns();
      await until('the old device waits now', () => phone.sdk.account?.pending === true);
    },
    LONG,
  );

  itOnServices(
    'go on with a key that was reset on a device that had the one before',
    async () => {
      const [dora, emil] = await Promise.all([registers('dora'), registers('emil')]);
      await becomeContacts(dora, emil);
      await dora.sdk.send('emil', 'before');
      await until('emil has it', () => emil.textsFrom('dora').includes('before'));
      await dora.sdk.resetIdentity(PASSWORD);
      await until('emil is warned', () => contactOf(emil, 'dora')?.changedKey !== undefined);
      await emil.sdk.confirmKey('dora');
      await emil.sdk.send('dora', 'is it you?');
      const problems = () => JSON.stringify([dora.problems, emil.problems, emil.deliveries]);
      await until('dora has it', () => dora.textsFrom('emil').includes('is it you?'), 40_000, problems);
      await dora.sdk.send('emil', 'it is');
      await until('emil has the answer', () => emil.textsFrom('dora').includes('it is'), 40_000, problems);
    },
    LONG,
  );
});
