import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { forgetServer, readServers, type RememberedServer, rememberServer } from './remembered-servers.js';

const HERE: RememberedServer = { host: 'chat.example', port: 7788, name: 'alice', pin: 'ab'.repeat(32) };

let file: string;

beforeEach(async () => (file = join(await mkdtemp(join(tmpdir(), 'sotto-servers-')), 'config', 'servers.json')));
afterEach(() => rm(dirname(dirname(file)), { recursive: true, force: true }));

describe('remembered servers', () => {
  it('are none at first, and then those that were added, once each', async () => {
    expect(await readServers(file)).toEqual([]);
    await rememberServer(file, { ...HERE, pin: undefined });
    await rememberServer(file, { ...HERE, name: 'carol.1234' });
    await rememberServer(file, HERE);
    expect(await readServers(file)).toEqual([{ ...HERE, name: 'carol.1234' }, HERE]);
  });

  it('are for nobody else to read, and no half-written file is left', async () => {
    await rememberServer(file, HERE);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(dirname(file))).toEqual(['servers.json']);
  });

  it('are forgotten by address, or by address and name', async () => {
    for (const name of ['alice', 'bob', 'carol']) await rememberServer(file, { ...HERE, name });
    expect(await forgetServer(file, 'chat.example:7788', 'bob')).toHaveLength(1);
    expect(await forgetServer(file, 'chat.example:7788')).toHaveLength(2);
    expect(await forgetServer(file, 'chat.example:7788')).toHaveLength(0);
    expect(await readServers(file)).toEqual([]);
  });

  it('are not overwritten when somebody broke the file', async () => {
    await rememberServer(file, HERE);
    for (const broken of ['{', '[]', '{"servers":[{"host":"x"}]}', `{"servers":[{"host":"x","port":99999,"name":"alice"}]}`]) {
      await writeFile(file, broken);
      await expect(rememberServer(file, HERE)).rejects.toThrow(/is no list of servers/);
      expect(await readFile(file, 'utf8')).toBe(broken);
    }
  });
});
