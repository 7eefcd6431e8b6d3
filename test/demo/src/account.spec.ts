import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { itThoroughly } from '@sotto/testing/thoroughly';
import { anyServer, type DemoServer, HOST } from './demo-server.js';
import { JsonProcess } from './json-process.js';

const PASSWORD = 'correct horse battery';
const NEW_PASSWORD = 'another horse battery';
const PASSPHRASE = 'a passphrase for the drawer';

describe('the account in the sotto command', () => {
  let folder: string;
  let server: DemoServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sotto-account-'));
    for (const [name, secret] of Object.entries({ password: PASSWORD, 'new-password': NEW_PASSWORD, passphrase: PASSPHRASE }))
      await writeFile(join(folder, name), `${secret}\n`, { mode: 0o600 });
    server = await anyServer(2);
  }, 100_000);

  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  const registers = async (name: string): Promise<JsonProcess> => {
    const person = new JsonProcess(name, ['join', await server.invite(name), ...device(name)]);
    await person.hears('ready', { registered: true, pending: false });
    return person;
  };
  const logsIn = (name: string, store: string, ...options: string[]): JsonProcess => enters(name, store, 'password', ...options);
  const enters = (name: string, store: string, password: string, ...options: string[]): JsonProcess => {
    const where = ['-t', HOST, '-p', String(server.port), '-k', server.pin, '-i', name];
    return new JsonProcess(`${name} (${store})`, ['join', ...where, ...device(store, password), ...options]);
  };
  const device = (store: string, password = 'password'): string[] => [
    '--store',
    join(folder, store),
    '--password-file',
    join(folder, password),
  ];

  it('lets a new device in by a code that both show', async () => {
    const phone = await registers('alice');
    const tablet = logsIn('alice', 'alice-tablet', '--device', 'the tablet');
    await tablet.hears('ready', { pending: true });
    const { device: id } = await phone.hears('approval', { stage: 'asked', name: 'the tablet', own: false });
    const { devices } = await phone.ask({ do: 'devices' }, 'devices');
    expect(devices).toContainEqual({ device: id, name: 'the tablet', own: false, online: false, pending: true, revoked: false });
    phone.say({ do: 'approve' });
    const { code } = await phone.hears('approval', { stage: 'compare' });
    await tablet.hears('approval', { stage: 'compare', code, own: true });
    const wrong = code === '00000000' ? '11111111' : '00000000';
    expect((await phone.ask({ do: 'approve', code: wrong }, 'error'))['text']).toContain('the codes differ');
    await phone.ask({ do: 'approve', code }, 'approval', { stage: 'approved' });
    await tablet.ask({ do: 'approve', code }, 'approval', { stage: 'approved', own: true });
    expect((await tablet.ask({ do: 'devices' }, 'devices'))['devices']).toHaveLength(2);
    const own = ((await phone.ask({ do: 'devices' }, 'devices'))['devices'] as { device: string; own: boolean }[]).find((each) => each.own);
    expect((await phone.ask({ do: 'revoke', device: own?.device }, 'error'))['text']).toContain('"confirm": true');
    expect((await phone.ask({ do: 'revoke', device: String(id).slice(0, 8) }, 'revoked'))['device']).toBe(id);
    await tablet.hears('connection', { state: 'refused' });
    await Promise.all([phone.ends({ do: 'quit' }), tablet.ends({ do: 'quit' })]);
  }, 120_000);

  itThoroughly(
    'turns a device away that the user does not know, and lets none in by chance when two wait',
    async () => {
      const phone = await registers('anna');
      const [thief, tablet] = ['anna-thief', 'anna-tablet'].map((store) => logsIn('anna', store, '--device', store)) as [
        JsonProcess,
        JsonProcess,
      ];
      const asked = ['anna-thief', 'anna-tablet'].map((name) => phone.hears('approval', { stage: 'asked', name }));
      const [ofThief, ofTablet] = (await Promise.all(asked)).map(({ device }) => String(device)) as [string, string];
      for (const word of ['approve', 'deny']) {
        const { text } = await phone.ask({ do: word }, 'error');
        for (const each of [ofThief, ofTablet]) expect(text).toContain(each.slice(0, 8));
      }
      await phone.ask({ do: 'approve', device: ofThief }, 'approval', { stage: 'compare', device: ofThief });
      const { code } = await phone.ask({ do: 'approve', device: ofTablet }, 'approval', { stage: 'compare', device: ofTablet });
      await phone.ask({ do: 'approve', code }, 'approval', { stage: 'approved', device: ofTablet });
      phone.say({ do: 'deny' });
      await thief.hears('approval', { stage: 'refused', own: true });
      expect((await thief.ask({ do: 'add', name: 'bob' }, 'error'))['text']).toContain('Confirm this device first');
      await Promise.all([phone, thief, tablet].map((each) => each.ends({ do: 'quit' })));
    },
    120_000,
  );

  itThoroughly(
    'writes a recovery file that nobody else can read, over no other, and lets a new device in by it',
    async () => {
      const phone = await registers('arno');
      const offer = '/recovery FILE writes a recovery file: with it and a passphrase you get back in when this device is lost';
      await phone.hears('notice', { text: offer });
      const file = join(folder, 'arno.sotto');
      expect((await phone.ask({ do: 'recovery', file }, 'error'))['text']).toContain('passphrase');
      await phone.ask({ do: 'recovery', file, passphrase: PASSPHRASE }, 'recovery-written', { file });
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      const written = await readFile(file);
      expect((await phone.ask({ do: 'recovery', file, passphrase: PASSPHRASE }, 'error'))['text']).toContain('is there already');
      expect(await readFile(file)).toEqual(written);
      const lost = logsIn('arno', 'arno-tablet', '--recovery', join(folder, 'lost'), '--passphrase-file', join(folder, 'passphrase'));
      await expect(lost.hears('ready')).rejects.toThrow(/lost cannot be read \(ENOENT\)/);
      expect((await phone.ask({ do: 'devices' }, 'devices'))['devices']).toHaveLength(1);
      await phone.ends({ do: 'quit' });
      const recovery = ['--recovery', file, '--passphrase-file'];
      const mistaken = logsIn('arno', 'arno-tablet', ...recovery, join(folder, 'password'));
      await expect(mistaken.hears('ready')).rejects.toThrow(/passphrase does not open this recovery file/);
      const tablet = logsIn('arno', 'arno-tablet', ...recovery, join(folder, 'passphrase'));
      await tablet.hears('ready', { pending: false });
      await tablet.ends({ do: 'quit' });
    },
    120_000,
  );

  itThoroughly(
    'makes a new account key when told so plainly, and the contact confirms it',
    async () => {
      const [carol, bob] = [await registers('carol'), await registers('bob')];
      carol.say({ do: 'add', name: 'bob' });
      await bob.hears('request', { name: 'carol' });
      bob.say({ do: 'accept', name: 'carol' });
      await carol.hears('contact', { name: 'bob', state: 'accepted' });
      expect((await bob.ask({ do: 'confirm', name: 'carol' }, 'error'))['text']).toContain('nothing to confirm');
      expect((await carol.ask({ do: 'reset-key', password: PASSWORD }, 'error'))['text']).toContain('"confirm": true');
      await carol.ask({ do: 'reset-key', password: PASSWORD, confirm: true }, 'notice', {
        text: 'The account has a new key. A new recovery file: /recovery FILE',
      });
      const changed = 'the key of carol has changed: compare safety numbers, then confirm';
      await bob.hears('notice', { text: changed });
      const { number } = await bob.ask({ do: 'confirm', name: 'carol' }, 'safety-number');
      expect((await carol.ask({ do: 'verify', name: 'bob' }, 'safety-number'))['number']).toBe(number);
      await bob.ask({ do: 'send', to: 'carol', text: 'it is you' }, 'sent');
      await carol.hears('message', { text: 'it is you' }, 60);
      const { messages } = await carol.ask({ do: 'history', name: 'bob', count: 1 }, 'history');
      expect(messages).toMatchObject([{ from: 'bob', text: 'it is you' }]);
      await bob.ask({ do: 'remove', name: 'carol' }, 'contact', { state: 'removed' });
      await carol.ask({ do: 'block', name: 'bob' }, 'contact', { state: 'blocked' });
      await carol.ask({ do: 'unblock', name: 'bob' }, 'contact', { name: 'bob' });
      await Promise.all([carol.ends({ do: 'quit' }), bob.ends({ do: 'quit' })]);
    },
    120_000,
  );

  itThoroughly(
    'changes the password, which then opens the store as well, and lets the other device log in again',
    async () => {
      const phone = await registers('dora');
      const tablet = logsIn('dora', 'dora-tablet');
      await phone.hears('approval', { stage: 'asked' });
      phone.say({ do: 'approve' });
      const { code } = await phone.hears('approval', { stage: 'compare' });
      await tablet.hears('approval', { stage: 'compare', code });
      await phone.ask({ do: 'approve', code }, 'approval', { stage: 'approved' });
      await tablet.ask({ do: 'approve', code }, 'approval', { stage: 'approved' });
      await phone.ask({ do: 'password', password: PASSWORD, new: NEW_PASSWORD }, 'notice');
      await tablet.hears('connection', { state: 'refused' });
      expect((await tablet.ask({ do: 'login', password: PASSWORD }, 'error'))['text']).toMatch(/password/i);
      await tablet.ask({ do: 'login', password: NEW_PASSWORD }, 'notice', {
        text: 'Logged in again. The password opens what is stored here, too.',
      });
      await Promise.all([phone.ends({ do: 'quit' }), tablet.ends({ do: 'quit' })]);
      await expect(logsIn('dora', 'dora').hears('ready')).rejects.toThrow(/does not open what is stored here/);
      for (const store of ['dora', 'dora-tablet']) {
        const again = enters('dora', store, 'new-password');
        await again.hears('ready', { pending: false });
        await again.ends({ do: 'quit' });
      }
    },
    120_000,
  );

  itThoroughly(
    'deletes the account when told so plainly',
    async () => {
      const emil = await registers('emil');
      expect((await emil.ask({ do: 'invite', name: 'frank' }, 'invite'))['link']).toMatch(/^sotto:\/\/.*\/frank$/);
      expect((await emil.ask({ do: 'delete-account', password: PASSWORD }, 'error'))['text']).toContain('"confirm": true');
      expect((await emil.ask({ do: 'delete-account', password: 'not his password', confirm: true }, 'error'))['text']).toMatch(/password/i);
      await emil.ends({ do: 'delete-account', password: PASSWORD, confirm: true });
      await expect(logsIn('emil', 'emil-again').hears('ready')).rejects.toThrow(/password/i);
    },
    120_000,
  );

  itThoroughly(
    'is one process a store: a second one says so, and leaves',
    async () => {
      const gina = await registers('gina');
      await expect(logsIn('gina', 'gina').hears('ready')).rejects.toThrow(/sotto runs with this store already/);
      await gina.ends({ do: 'quit' });
    },
    120_000,
  );
});
