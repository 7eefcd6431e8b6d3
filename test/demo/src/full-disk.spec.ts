import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SmallDisk } from '@sotto/testing';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { JsonProcess } from './json-process.js';

const MiB = 1024 * 1024;
const disk = SmallDisk.make('160m');
const where = disk === undefined ? 'where a disk can be mounted (left out here)' : 'with a disk of its own';

(disk === undefined ? describe.skip : describe)(`a server ${where}`, () => {
  let folder: string;
  let passwordFile: string;
  const data = () => join(disk!.folder, 'data');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sotto-full-'));
    passwordFile = join(folder, 'password');
    await writeFile(passwordFile, 'correct horse battery\n', { mode: 0o600 });
  });
  afterAll(async () => {
    disk?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const starts = () => new JsonProcess('the server', ['host', '-p', '0', '--data', data(), '--registration', 'open']);
  const comes = async (name: string, server: JsonProcess, ...more: string[]) => {
    const { host, port, pin } = await server.hears('listening', {}, 90);
    const target = ['-t', String(host), '-p', String(port), '-k', String(pin), '-i', name];
    return new JsonProcess(name, ['join', ...target, '--password-file', passwordFile, '--store', join(folder, `${name}.store`), ...more]);
  };
  const isThere = async (person: JsonProcess) => {
    await person.hears('ready');
    await person.ends({ do: 'quit' });
  };

  it('refuses a newcomer while its disk is full, tells its operator why, serves who is there, and goes on when there is room', async () => {
    const server = starts();
    await isThere(await comes('alice', server, '--new'));

    disk!.fill(8 * MiB);
    const refused = await (await comes('bob', server, '--new')).fails();
    expect(refused).toEqual({ code: expect.any(Number), complaints: expect.stringContaining('cannot store anything at the moment') });
    while (!server.complaints.includes('\n')) await sleep(20);
    expect(server.complaints).toBe('error: nothing can be stored: the disk of the database is full\n');
    await isThere(await comes('alice', server));

    disk!.makeRoom();
    await isThere(await comes('bob', server, '--new'));
    await server.ends('SIGINT');

    const again = starts();
    await isThere(await comes('alice', again));
    await isThere(await comes('bob', again));
    await again.ends('SIGINT');
  }, 180_000);

  it('names the file of its identity that is damaged or a folder, and what to do', async () => {
    const identity = join(data(), 'server-identity');
    for (const [damage, fault] of [
      [() => writeFile(identity, 'hunter2'), 'does not hold 64 hexadecimal digits'],
      [() => rm(identity).then(() => mkdir(identity)), 'is a folder'],
    ] as const) {
      await damage();
      const { code, complaints } = await starts().fails();
      expect(code).toBe(1);
      expect(complaints).toContain(`sotto: the server's identity can't be read: ${identity} ${fault}. Put your copy of it back`);
      expect(complaints).not.toMatch(/SERVER_IDENTITY_FILE|hunter2/);
    }
  }, 120_000);

  it('says that its disk is full when it cannot start for that', async () => {
    await rm(data(), { recursive: true });
    disk!.fill(0);
    const { code, complaints } = await starts().fails();
    expect([code, complaints]).toEqual([expect.any(Number), expect.stringMatching(/^sotto: .*full/)]);
  }, 60_000);
});
