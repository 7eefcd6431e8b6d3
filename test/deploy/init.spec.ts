import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync, chmodSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startNats, startRedis, temporaryFolder } from '@sotto/testing';
import { diskSettingsOf, NOTHING_ON_DISK, SETTINGS_READER } from './redis-settings.js';

const root = resolve(import.meta.dirname, '../..');
const SECRET_NAMES = /password$|server-identity$|token-key$/;

function runInit(folder: string): string {
  return execFileSync(process.execPath, ['deploy/init.mjs', folder], { cwd: root, encoding: 'utf8' });
}

/** "service/file" and what it holds. */
function filesIn(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, name)).isFile());
  return new Map(names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

describe('the one-shot that makes the secrets', () => {
  let folder: string;
  let files: Map<string, string>;
  let printed: string;
  beforeAll(async () => {
    folder = await temporaryFolder('secrets');
    printed = runInit(folder);
    files = filesIn(folder);
  });

  it('makes 32 random bytes of each secret, and prints none', () => {
    const secrets = [...files].filter(([name]) => SECRET_NAMES.test(name));
    expect(secrets.length).toBeGreaterThan(10);
    for (const [, text] of secrets) expect(text).toMatch(/^[0-9a-f]{64}\n$/);
    for (const [, text] of secrets) expect(printed).not.toContain(text.trim());
  });

  it('lets the owner alone read, and nobody write', () => {
    for (const name of files.keys()) expect([name, (statSync(join(folder, name)).mode & 0o777).toString(8)]).toEqual([name, '400']);
  });

  it('gives the identity and token keys to auth, the database to auth and contacts, and each password of bus and live state to one service', () => {
    const named = (ending: string) => [...files.keys()].filter((name) => name.endsWith(ending)).map((name) => name.split('/')[0]);
    expect(named('/server-identity')).toEqual(['auth']);
    expect(named('/token-key')).toEqual(['auth']);
    expect(named('/database-url')).toEqual(['auth', 'contacts', 'migrate']);
    const passwords = [...files].filter(([name]) => name.endsWith('/nats-password')).map(([, text]) => text);
    expect(new Set(passwords).size).toBe(passwords.length);
    const redis = [...files].filter(([name]) => name.endsWith('/redis-url')).map(([name, text]) => [name.split('/')[0], text]);
    expect(redis.map(([service]) => service)).toEqual(['auth', 'contacts', 'directory', 'gateway', 'relay']);
    for (const [service, url] of redis)
      expect(url).toBe(`redis://${service}:${files.get(`${service}/redis-password`)!.trim()}@redis:6379\n`);
    expect(files.get('auth/database-url')).not.toBe(files.get('contacts/database-url'));
  });

  it('keeps what is there, an operator’s own secret too', () => {
    const own = join(folder, 'relay/nats-password');
    chmodSync(own, 0o600);
    writeFileSync(own, 'chosen-by-the-operator\n');
    runInit(folder);
    const after = filesIn(folder);
    expect(after.get('relay/nats-password')).toBe('chosen-by-the-operator\n');
    expect(after.get('nats/nats.conf')).toContain('"chosen-by-the-operator"');
    for (const [name, text] of files)
      if (SECRET_NAMES.test(name) && name !== 'relay/nats-password') expect([name, after.get(name)]).toEqual([name, text]);
  });

  it('makes TLS for the bus of a cluster, whose certificate each of its users is given, and leaves it as it is the next time', async () => {
    const cluster = await temporaryFolder('cluster-secrets');
    const make = () => execFileSync(process.execPath, ['deploy/init.mjs', cluster, '--kubernetes'], { cwd: root, encoding: 'utf8' });
    make();
    const first = filesIn(cluster);
    expect(make()).toBe('secrets are in place\n');
    expect(filesIn(cluster)).toEqual(first);
    const certificate = first.get('nats/tls.crt') ?? '';
    expect(new X509Certificate(certificate).checkHost('nats')).toBe('nats');
    expect(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(first.get('nats/tls.key') ?? ''))).toBe(true);
    const authorities = [...first].filter(([name]) => name.endsWith('/nats-ca'));
    expect(authorities.map(([name]) => name.split('/')[0])).toEqual(['admin', 'auth', 'contacts', 'directory', 'gateway', 'relay']);
    for (const [, text] of authorities) expect(text).toBe(certificate);
    expect(first.get('nats/nats.conf')).toMatch(/^tls: /m);
    expect(files.get('nats/nats.conf')).not.toMatch(/tls/);
  });

  it('writes configurations that a real broker and a real Redis take, and that keep nothing', async () => {
    const config = (files.get('nats/nats.conf') ?? '').replace(/^http: .*$/m, '');
    const nats = await startNats({ config });
    await nats.stop();
    const redis = await startRedis({ config: `${files.get('redis/redis.conf')}\n${SETTINGS_READER}`, isWhole: true });
    try {
      expect(await diskSettingsOf(redis.port)).toEqual(NOTHING_ON_DISK);
    } finally {
      await redis.stop();
    }
  });
});
