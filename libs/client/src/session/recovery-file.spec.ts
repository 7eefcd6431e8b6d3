import { beforeAll, describe, expect, it } from '@jest/globals';
import { openRecord, randomBytes, sodiumReady } from '../sodium.js';
import { nodeArgon2id } from '../node/argon2id.js';
import { portableArgon2id } from './argon2id.js';
import { exportRecoveryFile, importRecoveryFile } from './recovery-file.js';

const PASSPHRASE = 'a passphrase for the drawer, \u00fc';
const seed = new Uint8Array(32).fill(7);
let file: Uint8Array;

beforeAll(async () => {
  await sodiumReady();
  file = await exportRecoveryFile(seed, PASSPHRASE, nodeArgon2id);
});

describe('a recovery file', () => {
  it('gives the key back for the passphrase, however its letters are composed', async () => {
    expect(await importRecoveryFile(file, PASSPHRASE.normalize('NFD'), nodeArgon2id)).toEqual(seed);
  });

  it('is salt, nonce and ciphertext under argon2id of 64 MiB, as the protocol says', async () => {
    expect(new TextDecoder().decode(file.subarray(0, 17))).toBe('sotto recovery 2\n');
    const key = await nodeArgon2id(new TextEncoder().encode(PASSPHRASE), file.subarray(17, 33), { memoryKib: 65_536, passes: 1 });
    expect(openRecord(file.subarray(33), 'recovery', key)).toEqual(seed);
  });

  it('holds nothing of the key in clear, and is another each time', async () => {
    expect(Buffer.from(file).includes(Buffer.from(seed.subarray(0, 8)))).toBe(false);
    expect(await exportRecoveryFile(seed, PASSPHRASE, nodeArgon2id)).not.toEqual(file);
  });

  it('says so when the passphrase is another or a byte was altered', async () => {
    const wrong = { reason: 'wrong-passphrase' };
    await expect(importRecoveryFile(file, 'a passphrase for the cellar', nodeArgon2id)).rejects.toMatchObject(wrong);
    const altered = file.slice();
    altered[altered.length - 1]! ^= 1;
    await expect(importRecoveryFile(altered, PASSPHRASE, nodeArgon2id)).rejects.toMatchObject(wrong);
    await expect(importRecoveryFile(file.subarray(0, 40), PASSPHRASE, nodeArgon2id)).rejects.toMatchObject(wrong);
  });

  it('is told from any other file', async () => {
    for (const other of [new Uint8Array(), randomBytes(100), file.subarray(0, 20)]) {
      await expect(importRecoveryFile(other, PASSPHRASE, nodeArgon2id)).rejects.toMatchObject({ reason: 'bad-recovery-file' });
    }
  });

  it('opens on every platform: both implementations of argon2id say the same', async () => {
    const [passphrase, salt] = [new TextEncoder().encode(PASSPHRASE), new Uint8Array(16).fill(3)];
    const cost = { memoryKib: 64, passes: 2 };
    expect(await portableArgon2id(passphrase, salt, cost)).toEqual(await nodeArgon2id(passphrase, salt, cost));
  });

  it('is not written under a passphrase that is quickly guessed', async () => {
    await expect(exportRecoveryFile(seed, 'short', nodeArgon2id)).rejects.toMatchObject({ reason: 'weak-passphrase' });
  });
});
