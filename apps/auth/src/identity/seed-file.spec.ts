import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig } from '@sotto/platform/config';
import { authConfig, authConfigSchema } from '../auth.config.js';
import { serverIdentityOf } from './server-identity.js';

const folder = mkdtempSync(join(tmpdir(), 'sotto-seeds-'));
const SEED = 'ab'.repeat(32);

function fileWith(text: string): string {
  const file = join(folder, `${text.length}-${Buffer.from(text).toString('hex').slice(0, 16)}`);
  writeFileSync(file, text);
  return file;
}

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(authConfigSchema, env);
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
}

describe('the files that hold seeds', () => {
  it.each([
    ['is not there', join(folder, 'nowhere')],
    ['is a folder', folder],
    ['does not hold 64 hexadecimal digits', fileWith('hunter2')],
    ['does not hold 64 hexadecimal digits', fileWith(`${SEED}0`)],
  ])('are judged with the rest of the configuration: one %s', (fault, file) => {
    const problems = problemsOf({ SERVER_IDENTITY_FILE: file, TOKEN_KEY_FILE: file, ARGON2_MEMORY_KIB: '1' });
    expect(problems).toEqual([
      'SERVER_NAME: is not set',
      `SERVER_IDENTITY_FILE: the file that it names ${fault}`,
      `TOKEN_KEY_FILE: the file that it names ${fault}`,
      expect.stringMatching(/^ARGON2_MEMORY_KIB: .*19456$/),
    ]);
  });

  it('hold the same in small letters and in capitals', () => {
    const { identity } = serverIdentityOf(Buffer.from(SEED, 'hex'));
    for (const file of [fileWith(`${SEED}\n`), fileWith(SEED.toUpperCase())]) {
      const config = loadConfig(authConfigSchema, { SERVER_NAME: 'localhost', SERVER_IDENTITY_FILE: file });
      expect(JSON.stringify(config)).not.toMatch(/abab/i);
      expect(authConfig(config).identity.identity.publicKey).toEqual(identity.publicKey);
    }
  });
});
