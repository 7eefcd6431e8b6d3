import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MemoryStore } from '../storage/memory.store.js';
import { describeStore } from '../storage/store.contract.js';
import { SqliteStore } from './sqlite.store.js';

const newFile = () => join(mkdtempSync(join(tmpdir(), 'sotto-store-')), 'alice.db');
const bytes = (text: string) => new TextEncoder().encode(text);

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

  it('holds nothing of a record in clear', async () => {
    const file = newFile();
    const store = await SqliteStore.open(file, 'correct horse');
    await store.commit([{ collection: 'messages', key: '1', value: bytes('canary-of-alice') }]);
    await store.close();
    expect(readFileSync(file).includes('canary-of-alice')).toBe(false);
    expect(readFileSync(file).includes('messages')).toBe(true);
  });

  it('refuses a second opener while one has it', async () => {
    const file = newFile();
    const store = await SqliteStore.open(file, 'correct horse');
    await expect(SqliteStore.open(file, 'correct horse')).rejects.toMatchObject({ reason: 'storage-failed' });
    await store.close();
  });

  it('says that a folder does not exist', async () => {
    await expect(SqliteStore.open('/nowhere/at/all/alice.db', 'x')).rejects.toMatchObject({ reason: 'storage-failed' });
  });

  it('has all of a batch or nothing of it after the process was killed at any moment', async () => {
    const file = newFile();
    const entry = pathToFileURL(join(process.cwd(), 'libs/client/dist/node/sqlite.store.js')).href;
    const script = `
      const { SqliteStore } = await import(${JSON.stringify(entry)});
      const store = await SqliteStore.open(${JSON.stringify(file)}, 'correct horse');
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 60);
      for (let i = 0; ; i++) {
        const value = new Uint8Array([i & 255]);
        await store.commit(['a', 'b', 'c'].map((collection) => ({ collection, key: String(i), value })));
        process.stdout.write(i + '\\n');
      }`;
    const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(signal).toBe('SIGKILL');
    const acknowledged = stdout.trim().split('\n').length;
    const store = await SqliteStore.open(file, 'correct horse');
    const sizes = await Promise.all(['a', 'b', 'c'].map(async (collection) => (await store.load(collection)).size));
    expect(new Set(sizes).size).toBe(1);
    expect(sizes[0]).toBeGreaterThanOrEqual(acknowledged);
    await store.close();
  });
});
