import { describe, expect, it } from '@jest/globals';
import { chmodSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeyFile, readKeyFile } from './key-file.js';
import { SqliteStore } from './sqlite.store.js';

const newFolder = () => mkdtempSync(join(tmpdir(), 'sotto-key-file-'));
const record = { collection: 'a', key: '1', value: Uint8Array.of(1, 2, 3) };
const isRoot = process.getuid?.() === 0;

describe('a key file', () => {
  it('is made for its user alone, never over another file, and read again', async () => {
    const path = join(newFolder(), 'key');
    expect(await readKeyFile(path)).toBeUndefined();
    const key = await createKeyFile(path);
    expect(key).toHaveLength(32);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await readKeyFile(path)).toEqual({ key, isOpenToOthers: false });
    await expect(createKeyFile(path)).rejects.toMatchObject({ reason: 'bad-key-file' });
    expect(await readKeyFile(path)).toMatchObject({ key });
  });

  it('that others may read is told', async () => {
    const path = join(newFolder(), 'key');
    await createKeyFile(path);
    chmodSync(path, 0o640);
    expect(await readKeyFile(path)).toMatchObject({ isOpenToOthers: true });
  });

  it.each([0, 31])('of %d bytes is none', async (length) => {
    const path = join(newFolder(), 'key');
    writeFileSync(path, new Uint8Array(length));
    await expect(readKeyFile(path)).rejects.toMatchObject({ reason: 'bad-key-file', message: expect.stringContaining('fewer than 32') });
  });

  it('that is a folder, or cannot be read, says so', async () => {
    await expect(readKeyFile(newFolder())).rejects.toMatchObject({ reason: 'bad-key-file' });
  });

  (isRoot ? it.skip : it)('that belongs to somebody else says so (not as root, who reads everything)', async () => {
    const path = join(newFolder(), 'key');
    await createKeyFile(path);
    chmodSync(path, 0o000);
    await expect(readKeyFile(path)).rejects.toMatchObject({ message: expect.stringContaining('EACCES') });
  });
});

describe('a store under a key file', () => {
  const keyOf = (byte: number, length = 32) => new Uint8Array(length).fill(byte);

  it('opens by it, and by no other and no passphrase', async () => {
    const file = join(newFolder(), 'alice.db');
    const store = await SqliteStore.open(file, keyOf(1, 100));
    await store.commit([record]);
    await store.close();
    await expect(SqliteStore.open(file, keyOf(2))).rejects.toMatchObject({
      reason: 'wrong-passphrase',
      message: expect.stringMatching(/key file does not open/),
    });
    await expect(SqliteStore.open(file, 'correct horse')).rejects.toMatchObject({
      reason: 'wrong-secret-kind',
      message: expect.stringMatching(/opens by a key file, not by a passphrase/),
    });
    const again = await SqliteStore.open(file, keyOf(1, 100));
    expect(await again.load('a')).toEqual(new Map([['1', record.value]]));
    await again.close();
  });

  it('says that a store under a passphrase opens by that', async () => {
    const file = join(newFolder(), 'alice.db');
    await (await SqliteStore.open(file, 'correct horse')).close();
    await expect(SqliteStore.open(file, keyOf(1))).rejects.toMatchObject({
      reason: 'wrong-secret-kind',
      message: expect.stringMatching(/opens by a passphrase, not by a key file/),
    });
  });

  it('takes no key of fewer than 32 bytes', async () => {
    const opening = SqliteStore.open(join(newFolder(), 'alice.db'), keyOf(1, 31));
    await expect(opening).rejects.toMatchObject({ reason: 'weak-passphrase' });
  });

  it('changes from a passphrase to a key file and back, with all its records', async () => {
    const file = join(newFolder(), 'alice.db');
    const store = await SqliteStore.open(file, 'correct horse');
    await store.commit([record]);
    await store.changeSecret(keyOf(1));
    await store.close();
    await expect(SqliteStore.open(file, 'correct horse')).rejects.toMatchObject({ reason: 'wrong-secret-kind' });
    const again = await SqliteStore.open(file, keyOf(1));
    await again.changeSecret('battery staple');
    await again.close();
    const last = await SqliteStore.open(file, 'battery staple');
    expect(await last.load('a')).toEqual(new Map([['1', record.value]]));
    await last.close();
  });
});
