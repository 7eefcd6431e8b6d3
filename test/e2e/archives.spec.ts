import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { exportToFile, importFromFile, SqliteStore } from '@sotto/client/node';
import { temporaryFolder } from '@sotto/testing';
import { itThoroughly } from '@sotto/testing/thoroughly';
import { type Server, startServer } from '../harness/dist/index.js';
import { becomeContacts, contactOf, Person, until } from './people.js';
import { describeMainlyOn } from './topologies.js';
import { PASSWORD } from './wire-client.js';

/** Milliseconds, on a machine that has other things to do. */
const LONG = 120_000;
const PASSPHRASE = 'a passphrase for the attic';

const storeIn = (folder: string) => SqliteStore.open(join(folder, 'device.db'), PASSWORD);

/** Of a device that is away. */
async function archiveOf(person: Person): Promise<string> {
  const archive = join(await temporaryFolder('archive'), 'alice.sotto');
  const store = await storeIn(person.folder);
  await exportToFile(store, archive, PASSPHRASE);
  await store.close();
  return archive;
}

async function storeFrom(archive: string): Promise<string> {
  const folder = await temporaryFolder('imported');
  const store = await storeIn(folder);
  await importFromFile(store, archive, PASSPHRASE);
  await store.close();
  return folder;
}

const textsOf = async (person: Person, conversation: string) => (await person.sdk.history(conversation)).map(({ text }) => text);

describeMainlyOn('standalone')('an archive of a device on %s', (kind) => {
  let server: Server;
  const people: Person[] = [];
  const remember = async (coming: Promise<Person>): Promise<Person> => {
    const person = await coming;
    people.push(person);
    return person;
  };
  const registers = (name: string) => remember(Person.registers(server, name));

  beforeAll(async () => {
    server = await startServer(kind);
  }, 180_000);

  afterAll(async () => {
    await Promise.all(people.map((person) => person.leaves()));
    await server?.stop();
  }, 30_000);

  it(
    'makes a second device with the old messages, which comes into the groups and gets new ones, as the old device does',
    async () => {
      const [phone, bob] = await Promise.all([registers('alice'), registers('bob')]);
      await becomeContacts(phone, bob);
      const group = await phone.sdk.groups.create('walkers', ['bob']);
      await until('bob is in the group', () => bob.sdk.groups.all().some(({ id }) => id === group));
      await bob.sdk.send('alice', 'before');
      await bob.sdk.send(group, 'before, to all');
      await until('alice has both', () => phone.inbox.length === 2);
      await phone.sdk.changeSettings({ retentionDays: 100 });
      await phone.leaves();
      const folder = await storeFrom(await archiveOf(phone));
      await phone.returns();

      const laptop = await remember(Person.comesFrom(server, 'alice', folder));
      expect(laptop.sdk.restored).toMatchObject({ name: 'alice' });
      expect(await textsOf(laptop, 'bob')).toEqual(['before']);
      expect(await textsOf(laptop, group)).toEqual(['before, to all']);
      expect(laptop.sdk.settings.retentionDays).toBe(100);
      expect(contactOf(laptop, 'bob')?.identityKey).toEqual(contactOf(phone, 'bob')?.identityKey);
      const account = await laptop.sdk.logIn('alice', PASSWORD);
      expect(account).toMatchObject({ pending: false, account: phone.sdk.account!.account });
      expect(account.device).not.toBe(phone.sdk.account!.device);
      expect(laptop.sdk.restored).toBeUndefined();

      const story = () => JSON.stringify([phone.problems, laptop.problems, bob.problems, bob.deliveries]);
      await until('the laptop is in the group', () => laptop.sdk.groups.all().some(({ id }) => id === group), 40_000, story);
      await bob.sdk.send(group, 'after, to all');
      for (const device of [phone, laptop])
        await until('both have it', async () => (await textsOf(device, group)).includes('after, to all'), 40_000, story);
      // In the conversation of two as well, however it is brought there.
      await laptop.sdk.send('bob', 'from the laptop');
      await until('bob has it', () => bob.textsFrom('alice').includes('from the laptop'), 40_000, story);
      await bob.sdk.send('alice', 'after');
      for (const device of [phone, laptop])
        await until('both have it', async () => (await textsOf(device, 'bob')).includes('after'), 40_000, story);
      expect((await textsOf(laptop, 'bob')).filter((text) => text === 'before')).toHaveLength(1);
      expect(laptop.inbox.map(({ text }) => text)).not.toContain('before');
    },
    LONG,
  );

  itThoroughly(
    'makes the only device when the old one is gone for good: contacts meet it without a warning',
    async () => {
      const [phone, carol] = await Promise.all([registers('anna'), registers('carol')]);
      await becomeContacts(phone, carol);
      await carol.sdk.send('anna', 'before');
      await until('anna has it', () => phone.textsFrom('carol').includes('before'));
      await phone.leaves();
      const laptop = await remember(Person.comesFrom(server, 'anna', await storeFrom(await archiveOf(phone))));
      await laptop.sdk.logIn('anna', PASSWORD);
      const story = () => JSON.stringify([laptop.problems, carol.problems, carol.deliveries]);
      await laptop.sdk.send('carol', 'it is me');
      await until('carol has it', () => carol.textsFrom('anna').includes('it is me'), 40_000, story);
      await carol.sdk.send('anna', 'after');
      await until('the laptop has it', () => laptop.textsFrom('carol').includes('after'), 40_000, story);
      expect(carol.problems.filter(({ code }) => code === 'key-changed')).toEqual([]);
      expect(await textsOf(laptop, 'carol')).toEqual(['before', 'it is me', 'after']);
    },
    LONG,
  );

  itThoroughly(
    'lets nobody else in: not without the password, and not into another account',
    async () => {
      const [phone] = await Promise.all([registers('arno'), registers('berta')]);
      await phone.leaves();
      const thief = await remember(Person.comesFrom(server, 'arno', await storeFrom(await archiveOf(phone))));
      await expect(thief.sdk.logIn('arno', 'not his password')).rejects.toThrow();
      await expect(thief.sdk.logIn('berta', PASSWORD)).rejects.toMatchObject({ reason: 'not-allowed' });
      await expect(thief.sdk.register('bruno', PASSWORD)).rejects.toMatchObject({ reason: 'not-allowed' });
      expect(thief.sdk.account).toBeUndefined();
      expect(await thief.sdk.logIn('arno', PASSWORD)).toMatchObject({ name: 'arno', pending: false });
    },
    LONG,
  );
});
