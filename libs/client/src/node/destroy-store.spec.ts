import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Database from 'libsql';
import { destroyStoreKey, isStoreInUse, removeStore } from './destroy-store.js';
import { SqliteStore } from './sqlite.store.js';

const newFile = () => join(mkdtempSync(join(tmpdir(), 'sotto-panic-')), 'store.db');
const compiled = (name: string) => JSON.stringify(pathToFileURL(join(process.cwd(), 'libs/client/dist/node', name)).href);

function runElsewhere(script: string) {
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
}

async function filledStore(): Promise<string> {
  const file = newFile();
  const store = await SqliteStore.open(file, 'correct horse');
  await store.commit(Array.from({ length: 100 }, (_, i) => ({ collection: 'a', key: String(i), value: new Uint8Array(5_000) })));
  await store.close();
  return file;
}

function sealedKeyIn(file: string): Buffer {
  const database = new Database(file);
  const { value } = database.prepare("SELECT value FROM meta WHERE key = 'key'").get() as { value: ArrayBuffer };
  database.close();
  return Buffer.from(value);
}

const rawOf = (file: string) =>
  Buffer.concat([file, `${file}-wal`].map((path) => (existsSync(path) ? readFileSync(path) : Buffer.alloc(0))));

describe('destroying a store', () => {
  it('leaves nothing that opens it when it is cut off between the key and the files', async () => {
    const file = await filledStore();
    const key = sealedKeyIn(file);
    expect(rawOf(file).includes(key)).toBe(true);
    const { signal } = runElsewhere(`const { destroyStoreKey } = await import(${compiled('destroy-store.js')});
      destroyStoreKey(${JSON.stringify(file)});
      process.kill(process.pid, 'SIGKILL');`);
    expect(signal).toBe('SIGKILL');
    expect(statSync(file).size).toBeGreaterThan(500_000);
    expect(rawOf(file).includes(key)).toBe(false);
    await expect(SqliteStore.open(file, 'correct horse')).rejects.toMatchObject({ reason: 'bad-store' });
  });

  it('reaches the copy of the key in the log of a process that was killed', async () => {
    const file = await filledStore();
    runElsewhere(`const { SqliteStore } = await import(${compiled('sqlite.store.js')});
      const store = await SqliteStore.open(${JSON.stringify(file)}, 'correct horse');
      await store.changeSecret('battery staple');
      process.kill(process.pid, 'SIGKILL');`);
    const log = readFileSync(`${file}-wal`);
    expect(log.length).toBeGreaterThan(0);
    destroyStoreKey(file);
    const left = readFileSync(`${file}-wal`);
    // Where the log had a page, there is not one run of 32 bytes of it.
    for (let at = 0; at + 32 <= log.length; at += 32) {
      const run = log.subarray(at, at + 32);
      if (run.some((byte) => byte !== 0)) expect(left.includes(run)).toBe(false);
    }
  });

  it('needs no passphrase, and takes a damaged file as well', () => {
    const file = newFile();
    writeFileSync(file, 'what is left of a store');
    destroyStoreKey(file);
    expect(readFileSync(file).includes('left of a store')).toBe(false);
    expect(removeStore(file)).toEqual([]);
    expect(existsSync(dirname(file))).toBe(false);
  });

  it('removes files and folder, and nothing that is not its own', async () => {
    const file = await filledStore();
    for (const end of ['-wal', '-shm', '.0123456789ab.new']) writeFileSync(`${file}${end}`, 'x');
    writeFileSync(join(dirname(file), 'photo.jpg'), 'x');
    destroyStoreKey(file);
    expect(removeStore(file)).toEqual(['photo.jpg']);
  });

  it('knows whether another process has the store', async () => {
    const file = await filledStore();
    expect(isStoreInUse(file)).toBe(false);
    const store = await SqliteStore.open(file, 'correct horse');
    const { stdout } = runElsewhere(`const { destroyStoreKey, isStoreInUse } = await import(${compiled('destroy-store.js')});
      console.log(isStoreInUse(${JSON.stringify(file)}));
      destroyStoreKey(${JSON.stringify(file)});
      console.log(isStoreInUse(${JSON.stringify(file)}));`);
    expect(stdout.trim()).toBe('true\ntrue');
    await store.close();
    expect(isStoreInUse(file)).toBe(false);
  });
});
