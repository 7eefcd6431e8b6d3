import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Database from 'libsql';
import { MemoryStore } from '../storage/memory.store.js';
import { describeStore } from '../storage/store.contract.js';
import { SqliteStore } from './sqlite.store.js';

const newFile = () => join(mkdtempSync(join(tmpdir(), 'sotto-store-')), 'alice.db');
const bytes = (text: string) => new TextEncoder().encode(text);

const entry = pathToFileURL(join(process.cwd(), 'libs/client/dist/node/sqlite.store.js')).href;
const OPEN_STORE = (file: string) => `
  const { SqliteStore } = await import(${JSON.stringify(entry)});
  const store = await SqliteStore.open(${JSON.stringify(file)}, 'correct horse');`;
const filesOf = (file: string) => readdirSync(dirname(file)).map((name) => join(dirname(file), name));

function runElsewhere(script: string) {
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
}

function openedElsewhere(file: string): string {
  const { stdout, stderr } = runElsewhere(`try { ${OPEN_STORE(file)}
    await store.close();
    console.log('opened');
  } catch (error) { console.log(error.reason + ': ' + error.message); }`);
  return stdout.trim() || stderr;
}

function placesIn(file: string): unknown[] {
  const database = new Database(file);
  const rows = database.prepare('SELECT hex(collection) AS collection, hex(key) AS key FROM records').all();
  database.close();
  return rows;
}

function valuesIn(file: string): Buffer[] {
  const database = new Database(file);
  const rows = database.prepare('SELECT value FROM records').all() as { value: ArrayBuffer }[];
  database.close();
  return rows.map(({ value }) => Buffer.from(value));
}

/** Closed, of several pages. */
async function fullStore(): Promise<string> {
  const file = newFile();
  const store = await SqliteStore.open(file, 'correct horse');
  await store.commit(Array.from({ length: 20 }, (_, i) => ({ collection: 'a', key: String(i), value: new Uint8Array(5_000) })));
  await store.close();
  return file;
}

async function recordsIn(file: string): Promise<Map<string, Uint8Array>> {
  const store = await SqliteStore.open(file, 'correct horse');
  try {
    return await store.load('a');
  } finally {
    await store.close();
  }
}

/** With a reason, and with every byte as it was and no file beside it. */
async function expectRefused(file: string, content: Buffer, message: RegExp): Promise<void> {
  writeFileSync(file, content);
  const refusal = { reason: 'bad-store', message: expect.stringMatching(message) as unknown };
  await expect(SqliteStore.open(file, 'correct horse')).rejects.toMatchObject(refusal);
  expect(readFileSync(file).equals(content)).toBe(true);
  expect(existsSync(`${file}-wal`) || existsSync(`${file}-journal`)).toBe(false);
}

describeStore('MemoryStore', async () => new MemoryStore());
describeStore('SqliteStore', () => SqliteStore.open(newFile(), 'correct horse'));

describe('SqliteStore', () => {
  it('opens again with the same passphrase, and says so when it is another', async () => {
    const file = newFile();
    const store = await SqliteStore.open(file, 'correct horse');
    await store.commit([{ collection: 'messages', key: '1', value: bytes('hello bob') }]);
    await store.close();
    await expect(SqliteStore.open(file, 'wrong horse')).rejects.toMatchObject({ reason: 'wrong-passphrase' });
    const again = await SqliteStore.open(file, 'correct horse');
    expect(new TextDecoder().decode((await again.load('messages')).get('1'))).toBe('hello bob');
    await again.close();
  });

  it('is for nobody else to read, nor is what lies beside it', async () => {
    const file = newFile();
    const store = await SqliteStore.open(file, 'correct horse');
    await store.commit([{ collection: 'messages', key: '1', value: bytes('hello bob') }]);
    expect(filesOf(file).map((each) => [each.slice(file.length), statSync(each).mode & 0o777])).toEqual([
      ['', 0o600],
      ['-wal', 0o600],
    ]);
    await store.close();
  });

  it('holds nothing of a record in clear', async () => {
    const file = newFile();
    const store = await SqliteStore.open(file, 'correct horse');
    await store.commit([{ collection: 'messages', key: '1', value: bytes('canary-of-alice') }]);
    await store.close();
    expect(readFileSync(file).includes('canary-of-alice')).toBe(false);
  });

  it('shows neither collections nor keys, in the file or in its log', async () => {
    const file = newFile();
    const store = await SqliteStore.open(file, 'correct horse');
    const account = '0123456789abcdef0123456789abcdef';
    await store.commit([
      { collection: 'contacts', key: 'bob.4821', value: bytes(account) },
      { collection: 'groups', key: account, value: bytes('state') },
    ]);
    const written = () => Buffer.concat(filesOf(file).map((each) => readFileSync(each))).toString('latin1');
    const names = ['contacts', 'groups', 'bob.4821', account, Buffer.from(account, 'hex').toString('latin1')];
    expect(names.filter((name) => written().includes(name))).toEqual([]);
    expect([...(await store.load('contacts')).keys()]).toEqual(['bob.4821']);
    await store.close();
    expect(names.filter((name) => written().includes(name))).toEqual([]);
  });

  it('leaves nothing of what was removed or replaced, not even sealed, once it is closed', async () => {
    const file = newFile();
    const store = await SqliteStore.open(file, 'correct horse');
    const keys = Array.from({ length: 50 }, (_, i) => `message ${i}`);
    await store.commit(keys.map((key) => ({ collection: 'a', key, value: bytes(key) })));
    await store.close();
    const sealed = valuesIn(file);
    const again = await SqliteStore.open(file, 'correct horse');
    await again.commit(keys.map((key, i) => (i % 2 === 0 ? { collection: 'a', key } : { collection: 'a', key, value: bytes('another') })));
    await again.close();
    const left = Buffer.concat(filesOf(file).map((each) => readFileSync(each)));
    expect(sealed).toHaveLength(50);
    expect(sealed.filter((value) => left.includes(value))).toEqual([]);
  });

  it('hides the same name under another hash in another store', async () => {
    const [one, other] = [newFile(), newFile()];
    for (const file of [one, other]) {
      const store = await SqliteStore.open(file, 'correct horse');
      await store.commit([{ collection: 'contacts', key: 'bob', value: bytes('x') }]);
      await store.close();
    }
    expect(placesIn(one)).not.toEqual(placesIn(other));
  });

  it('does not open a record that was moved to another place in the file', async () => {
    const file = newFile();
    const store = await SqliteStore.open(file, 'correct horse');
    await store.commit(['bob', 'carol'].map((key) => ({ collection: 'contacts', key, value: bytes(key) })));
    await store.close();
    const database = new Database(file);
    database.exec('UPDATE records SET value = (SELECT value FROM records ORDER BY key LIMIT 1)');
    database.close();
    const again = await SqliteStore.open(file, 'correct horse');
    await expect(again.load('contacts')).rejects.toMatchObject({ reason: 'bad-store' });
    await again.close();
  });

  it('opens with a new passphrase alone after a change, with all its records', async () => {
    const file = newFile();
    const store = await SqliteStore.open(file, 'correct horse');
    await store.commit([{ collection: 'messages', key: '1', value: bytes('hello bob') }]);
    await store.changeSecret('battery staple');
    await store.close();
    await expect(SqliteStore.open(file, 'correct horse')).rejects.toMatchObject({ reason: 'wrong-passphrase' });
    const again = await SqliteStore.open(file, 'battery staple');
    expect(new TextDecoder().decode((await again.load('messages')).get('1'))).toBe('hello bob');
    await again.close();
  });

  it('tells a second process that the store is in use, and lets it in when the first is done', async () => {
    const file = newFile();
    const store = await SqliteStore.open(file, 'correct horse');
    await store.commit([{ collection: 'a', key: '1', value: bytes('1') }]);
    await expect(SqliteStore.open(file, 'correct horse')).rejects.toMatchObject({ reason: 'store-in-use' });
    expect(openedElsewhere(file)).toBe('store-in-use: another process uses this store');
    await store.close();
    expect(openedElsewhere(file)).toBe('opened');
  });

  it.each([
    ['of a newer version', (bytes: Buffer) => bytes.writeUInt32BE(99, 60), /newer version of Sotto \(format 99/],
    ['of an older version', (bytes: Buffer) => bytes.writeUInt32BE(1, 60), /older version of Sotto/],
    ['of another program', (bytes: Buffer) => bytes.writeUInt32BE(7, 68), /no store of Sotto/],
    ['no database at all', (bytes: Buffer) => bytes.write('a letter to bob'), /no store of Sotto/],
  ])('leaves a file alone that is %s', async (_what, alter, message) => {
    const file = await fullStore();
    const altered = readFileSync(file);
    alter(altered);
    await expectRefused(file, altered, message);
  });

  it.each([0, 50, 100, 4_096, 9_000, -1])('leaves a file alone that was cut to %d bytes', async (length) => {
    const file = await fullStore();
    await expectRefused(file, readFileSync(file).subarray(0, length < 0 ? statSync(file).size + length : length), /cut short/);
  });

  it.each([0, 1, 3, 10, 20])('says that it is damaged, or opens as it was, with bytes altered in page %d', async (page) => {
    const file = await fullStore();
    const whole = readFileSync(file);
    for (const at of [0, 5, 60, 200, 2_000, 4_090]) {
      const altered = Buffer.from(whole);
      altered[page * 4_096 + at]! ^= 0xff;
      writeFileSync(file, altered);
      const outcome = await recordsIn(file).catch((error: unknown) => error);
      const isWhole =
        outcome instanceof Map && outcome.size === 20 && [...outcome.values()].every((value) => (value as Uint8Array).length === 5_000);
      const { reason } = outcome as { reason?: unknown };
      expect([isWhole || reason === 'bad-store' || reason === 'wrong-passphrase', page, at, String(outcome)]).toEqual([
        true,
        page,
        at,
        String(outcome),
      ]);
    }
  });

  it('finds that a file was cut short though the last process was killed before it could tidy up', async () => {
    const file = await fullStore();
    runElsewhere(`${OPEN_STORE(file)}
      await store.commit([{ collection: 'a', key: 'last', value: new Uint8Array(10) }]);
      process.kill(process.pid, 'SIGKILL');`);
    // Its log is whole, and says how many pages there are; of the file only the first are left.
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);
    writeFileSync(file, readFileSync(file).subarray(0, 5 * 4_096));
    await expect(SqliteStore.open(file, 'correct horse')).rejects.toMatchObject({ reason: 'bad-store' });
  });

  it('leaves nothing under its name when it dies while it makes the file', async () => {
    const file = newFile();
    const { signal } = runElsewhere(`setTimeout(() => process.kill(process.pid, 'SIGKILL'), 5); ${OPEN_STORE(file)}`);
    expect(signal).toBe('SIGKILL');
    const store = await SqliteStore.open(file, 'correct horse');
    await store.close();
  });

  it('says that a folder does not exist', async () => {
    await expect(SqliteStore.open('/nowhere/at/all/alice.db', 'x')).rejects.toMatchObject({ reason: 'storage-failed' });
  });

  it('has all of a batch or nothing of it after the process was killed at any moment', async () => {
    const file = newFile();
    const { stdout, signal } = runElsewhere(`${OPEN_STORE(file)}
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 60);
      for (let i = 0; ; i++) {
        const value = new Uint8Array([i & 255]);
        await store.commit(['a', 'b', 'c'].map((collection) => ({ collection, key: String(i), value })));
        process.stdout.write(i + '\\n');
      }`);
    expect(signal).toBe('SIGKILL');
    const acknowledged = stdout.trim().split('\n').length;
    const store = await SqliteStore.open(file, 'correct horse');
    const sizes = await Promise.all(['a', 'b', 'c'].map(async (collection) => (await store.load(collection)).size));
    expect(new Set(sizes).size).toBe(1);
    expect(sizes[0]).toBeGreaterThanOrEqual(acknowledged);
    await store.close();
  });
});
