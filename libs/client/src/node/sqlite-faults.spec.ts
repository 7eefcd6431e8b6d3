import { afterEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SqliteStore } from './sqlite.store.js';

const PASSPHRASE = 'correct horse';
const entry = pathToFileURL(join(process.cwd(), 'libs/client/dist/node/sqlite.store.js')).href;
const newFolder = () => mkdtempSync(join(tmpdir(), 'sotto-faults-'));
const record = (key: string, text: string) => ({ collection: 'messages', key, value: new TextEncoder().encode(text) });
const mounted: string[] = [];

afterEach(() => {
  // Lazily: libsql keeps a closed file open until its statements are collected.
  for (const folder of mounted.splice(0)) spawnSync('umount', ['-l', folder]);
});

/** A disk of its own, or undefined where this process may not mount one. */
function smallDisk(size: string): string | undefined {
  const folder = newFolder();
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]).status !== 0) return undefined;
  mounted.push(folder);
  return folder;
}

function mayMount(): boolean {
  const folder = smallDisk('64k');
  if (folder !== undefined) spawnSync('umount', [mounted.pop()!]);
  return folder !== undefined;
}

/** Fills the store in 64 KiB records until one is refused; says how many were kept, and what was said. */
const FILL = `
  let kept = 0;
  try {
    for (; kept < 1000; kept++) await store.commit([{ collection: 'messages', key: String(kept), value: new Uint8Array(65536).fill(kept) }]);
  } catch (error) {
    console.log(JSON.stringify({ kept, reason: error.reason, message: error.message }));
  }
  await store.close();`;

/** In a process of its own, where `before` is a shell's words and root is nobody. */
function inAnotherProcess(file: string, script: string, before = ''): { kept: number; reason: string; message: string } {
  const program = `
    const { SqliteStore } = await import(${JSON.stringify(entry)});
    if (${JSON.stringify(before)} === '' && process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
    try {
      const store = await SqliteStore.open(${JSON.stringify(file)}, ${JSON.stringify(PASSPHRASE)});
      ${script}
    } catch (error) {
      console.log(JSON.stringify({ kept: -1, reason: error.reason, message: error.message }));
    }`;
  const words = ['-c', `${before} exec "$0" --input-type=module -e "$1"`, process.execPath, program];
  const { stdout, stderr } = spawnSync('sh', words, { encoding: 'utf8' });
  if (stdout.trim() === '') throw new Error(stderr);
  return JSON.parse(stdout) as { kept: number; reason: string; message: string };
}

/** Every record that was acknowledged, whole, and not the one that was refused. */
async function expectAllKept(file: string, kept: number): Promise<void> {
  const store = await SqliteStore.open(file, PASSPHRASE);
  const records = await store.load('messages');
  expect([...records.keys()].map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: kept }, (_, i) => i));
  for (const [key, value] of records) expect(value.every((byte) => byte === (Number(key) & 255)) && value.length === 65_536).toBe(true);
  await store.close();
}

describe('SqliteStore where nothing can be written', () => {
  it('says so when its folder is read-only, and has everything when the folder can be written again', async () => {
    const folder = newFolder();
    const file = join(folder, 'alice.db');
    const store = await SqliteStore.open(file, PASSPHRASE);
    await store.commit([record('1', 'hello bob')]);
    await store.close();
    chmodSync(file, 0o444);
    chmodSync(folder, 0o555);
    const { kept, reason, message } = inAnotherProcess(file, FILL);
    expect(reason).toBe('storage-failed');
    expect(kept).toBeLessThanOrEqual(0);
    expect(message).toMatch(/read-only|cannot be opened/);
    chmodSync(folder, 0o755);
    chmodSync(file, 0o644);
    const again = await SqliteStore.open(file, PASSPHRASE);
    expect(new TextDecoder().decode((await again.load('messages')).get('1'))).toBe('hello bob');
    await again.close();
  });

  it('refuses a batch that the system does not let it write, and keeps all before it', async () => {
    const file = join(newFolder(), 'alice.db');
    // A bound on the size of a file, in blocks of 512 bytes; without the signal, so that the write itself fails.
    const { kept, reason, message } = inAnotherProcess(file, FILL, "trap '' XFSZ; ulimit -f 1024;");
    expect(kept).toBeGreaterThan(0);
    expect({ reason, message }).toEqual({ reason: 'storage-failed', message: expect.stringContaining('the store') });
    await expectAllKept(file, kept);
  });

  (mayMount() ? it : it.skip)('says that the disk is full, keeps all before that, and goes on when there is room', async () => {
    const folder = smallDisk('1m')!;
    const file = join(folder, 'alice.db');
    const store = await SqliteStore.open(file, PASSPHRASE);
    let kept = 0;
    const fill = async () => {
      for (; kept < 100; kept++)
        await store.commit([{ collection: 'messages', key: String(kept), value: new Uint8Array(65_536).fill(kept) }]);
    };
    await expect(fill()).rejects.toMatchObject({ reason: 'storage-failed', message: expect.stringContaining('full') });
    expect(kept).toBeGreaterThan(0);
    spawnSync('mount', ['-o', 'remount,size=8m', folder]);
    await store.commit([{ collection: 'messages', key: String(kept), value: new Uint8Array(65_536).fill(kept) }]);
    await store.close();
    await expectAllKept(file, kept + 1);
  });
});
