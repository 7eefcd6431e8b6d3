import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anyServer, type DemoServer, HOST } from './demo-server.js';
import { JsonProcess } from './json-process.js';

const LONG = 120_000;

describe('groups in the sotto command', () => {
  let folder: string;
  let server: DemoServer;
  let alice: JsonProcess;
  let bob: JsonProcess;
  let carol: JsonProcess;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sotto-groups-'));
    await writeFile(join(folder, 'password'), 'correct horse battery\n', { mode: 0o600 });
    server = await anyServer(2);
    [alice, bob, carol] = await Promise.all([registers('alice'), registers('bob'), registers('carol')]);
    await becomeContacts(alice, bob);
    await becomeContacts(alice, carol);
  }, 180_000);

  afterAll(async () => {
    await Promise.all([alice, bob, carol].map((person) => person?.ends({ do: 'quit' })));
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  async function registers(name: string): Promise<JsonProcess> {
    const device = ['--store', join(folder, name), '--password-file', join(folder, 'password')];
    const person = new JsonProcess(name, ['join', await server.invite(name), ...device]);
    await person.hears('ready', { registered: true }, 60);
    return person;
  }

  async function becomeContacts(asker: JsonProcess, other: JsonProcess): Promise<void> {
    asker.say({ do: 'add', name: other.name });
    await other.hears('request', { name: asker.name });
    other.say({ do: 'accept', name: asker.name });
    await asker.hears('contact', { name: other.name, state: 'accepted' });
  }

  const group = (action: string, fields: Readonly<Record<string, unknown>>) => ({ do: 'group', action, ...fields });
  const membersSeenBy = async (person: JsonProcess, name: string) =>
    (await person.ask(group('members', { group: name }), 'members'))['members'] as Readonly<Record<string, unknown>>[];

  it(
    'lets three people talk of whom two are no contacts of each other',
    async () => {
      const elsewhere = group('new', { name: 'tea', contacts: ['bob@chat.example:7788', 'carol'] });
      expect((await alice.ask(elsewhere, 'error'))['text']).toContain(`this is ${HOST}:${server.port} alone`);
      const contacts = [`bob@${HOST}:${server.port}`, 'carol'];
      const { conversation: id } = await alice.ask(group('new', { name: 'tea', contacts }), 'group', { what: 'created' });
      for (const person of [bob, carol])
        await person.hears('group', { what: 'joined', by: 'alice', conversation: id, groupName: 'tea' }, 60);
      bob.say({ do: 'to', name: 'tea' });
      await bob.hears('conversation', { name: id, groupName: 'tea' });
      const { id: message } = await bob.ask({ do: 'send', text: 'milk?' }, 'sent', { to: id, groupName: 'tea' });
      await alice.hears('message', { from: 'bob', text: 'milk?', group: id, groupName: 'tea' });
      const { from } = await carol.hears('message', { text: 'milk?', group: id });
      expect(from).toMatch(/^bob~[0-9a-f]{4}$/);
      await bob.hears('delivery', { id: message, to: id, status: 'delivered' });
      await carol.ask({ do: 'send', to: String(id).slice(0, 8), text: 'please' }, 'sent');
      await bob.hears('message', { text: 'please', group: id });
      const { messages } = await alice.ask({ do: 'history', name: 'tea' }, 'history', { name: id });
      expect(messages).toMatchObject([{ text: 'milk?' }, { from: 'carol', text: 'please' }]);
    },
    LONG,
  );

  it(
    'shows who is in, as whom, and whose key is known',
    async () => {
      const seen = await membersSeenBy(bob, 'tea');
      expect(seen.find(({ name }) => name === 'alice')).toMatchObject({
        admin: true,
        verification: 'verified',
        devices: [expect.any(String)],
      });
      expect(seen.find(({ name }) => name === 'bob')).toMatchObject({ admin: false, verification: 'self' });
      expect(seen.find(({ name }) => String(name).startsWith('carol~'))).toMatchObject({ verification: 'unknown' });
      expect((await bob.ask(group('remove', { group: 'tea', names: ['carol'] }), 'error'))['text']).toMatch(
        /did you mean carol~[0-9a-f]{4}\?$/,
      );
      expect((await bob.ask(group('remove', { group: 'tea', names: ['alice'] }), 'error'))['text']).toContain('only admins');
      expect((await bob.ask(group('leave', { group: 'nothing' }), 'error'))['text']).toContain('/group list');
    },
    LONG,
  );

  it(
    'says why a change is none, and then does nothing of it',
    async () => {
      const told = async (action: string, fields: object) => (await alice.ask(group(action, { group: 'tea', ...fields }), 'error'))['text'];
      expect(await told('add', { names: ['bob', 'carol'] })).toContain('bob is in this group already');
      expect(await told('rename', { name: 'tea' })).toContain('has that name already');
      expect(await told('remove', { names: ['carol', 'alice'] })).toContain('leave it');
      expect(await told('remove', { names: ['carol', 'dave'] })).toContain(
        'dave is no member of this group: its members are alice, bob, carol',
      );
      expect(await told('admin', { name: 'alice' })).toContain('alice is an admin already');
      expect(await told('admin', { name: 'alice', admin: false })).toContain('name another one first');
      expect((await bob.ask(group('rename', { group: 'tea', name: 'x' }), 'group', { what: 'changed' }))['renamed']).toBe('x');
      await alice.ask(group('rename', { group: 'x', name: 'tea' }), 'group', { what: 'changed', renamed: 'tea' });
      expect(await membersSeenBy(alice, 'tea')).toHaveLength(3);
    },
    LONG,
  );

  it(
    'tells of new names, admins, and of who leaves and is taken out',
    async () => {
      alice.say(group('rename', { group: 'tea', name: 'tea at five' }));
      await bob.hears('group', { what: 'changed', renamed: 'tea at five', by: 'alice' });
      alice.say(group('admin', { group: 'tea at five', name: 'bob' }));
      for (const person of [alice, bob]) await person.hears('group', { what: 'changed', promoted: ['bob'], by: 'alice' });
      const left = await carol.ask(group('leave', { group: 'tea at five' }), 'group', { what: 'left', groupName: 'tea at five' });
      const late = await carol.ask({ do: 'send', to: left['conversation'], text: 'still there?' }, 'error');
      expect(late['text']).toContain('you are not in tea at five any more');
      await alice.hears('group', { what: 'changed', removed: ['carol'] });
      expect(await membersSeenBy(alice, 'tea at five')).toHaveLength(2);
      expect((await carol.ask(group('list', {}), 'groups'))['groups']).toEqual([]);
      bob.say(group('remove', { group: 'tea at five', names: ['alice'] }));
      await alice.hears('group', { what: 'out', groupName: 'tea at five' });
      for (const command of [group('members', { group: 'tea at five' }), { do: 'to', name: 'tea at five' }])
        expect((await alice.ask(command, 'error'))['text']).toContain('you are not in tea at five any more');
    },
    LONG,
  );

  it('knows no invitation that nobody made, and lists those there are', async () => {
    expect((await carol.ask(group('accept', { id: 'abcd' }), 'error'))['text']).toContain('there is no invitation');
    expect((await carol.ask(group('list', {}), 'groups'))['invitations']).toEqual([]);
  });
});
