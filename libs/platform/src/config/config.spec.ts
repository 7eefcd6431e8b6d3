import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import * as z from 'zod';
import { ConfigError, loadConfig, Secret, secret } from './index.js';

const schema = z.object({
  PORT: z.coerce.number().int().positive(),
  MODE: z.enum(['open', 'closed']),
  PASSWORD: secret().optional(),
});

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  it('names every problem at once and quotes no value', () => {
    const problems = problemsOf({ PORT: 'hunter2', PASSWORD_FILE: '/nowhere/at/all' });
    expect(problems.map((one) => one.split(':')[0]).sort()).toEqual(['MODE', 'PASSWORD_FILE', 'PORT']);
    expect(problems.join()).not.toMatch(/hunter2|nowhere/);
  });

  it('reads a value from the file that NAME_FILE names', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'sotto-config-')), 'password');
    writeFileSync(file, 's3cret\n');
    const config = loadConfig(schema, { PORT: '1', MODE: 'open', PASSWORD_FILE: file });
    expect(config.PASSWORD?.reveal()).toBe('s3cret');
  });

  it('refuses a value that is given twice', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'sotto-config-')), 'password');
    writeFileSync(file, 's3cret');
    expect(problemsOf({ PORT: '1', MODE: 'open', PASSWORD: 'a', PASSWORD_FILE: file })).toHaveLength(1);
  });

  it('drops the message of a rule that quotes the value', () => {
    const quoting = z.object({ KEY: z.string().refine(() => false, { error: (issue) => `${String(issue.input)} is no key` }) });
    expect(() => loadConfig(quoting, { KEY: 'hunter2' })).toThrow(/KEY: is not valid$/);
  });

  it.each([
    [z.coerce.number().min(19_456), '1', '>=19456'],
    [z.enum(['open', 'closed']), 'o', '"open"|"closed"'],
    [z.string().refine((text) => text.startsWith('redis://'), 'must be redis://HOST'), 'redis', 'must be redis://HOST'],
  ])('keeps what the rule says, though the value occurs in it', (rule, value, said) => {
    expect(() => loadConfig(z.object({ KEY: rule }), { KEY: value })).toThrow(said);
  });

  it('says what is the matter with a file that it cannot read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sotto-config-'));
    expect(problemsOf({ PORT: '1', MODE: 'open', PASSWORD_FILE: folder })).toEqual(['PASSWORD_FILE: the file that it names is a folder']);
    expect(problemsOf({ PORT: '1', MODE: 'open', PASSWORD_FILE: join(folder, 'password') })).toEqual([
      'PASSWORD_FILE: the file that it names is not there',
    ]);
  });

  it('prints no secret', () => {
    const value = new Secret('s3cret');
    expect(`${value} ${JSON.stringify({ value })} ${inspect({ value })}`).not.toContain('s3cret');
  });
});
