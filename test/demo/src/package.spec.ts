import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { hostStandalone } from './demo-server.js';
import { playStory } from './story.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const RETRY_WINDOW_SECONDS = 2;

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const run = async (program: string, args: readonly string[], cwd: string) =>
  (await promisify(execFile)(program, args, { cwd, maxBuffer: 16 * 1024 * 1024 })).stdout;

/** Needs npm's registry, or what npm has cached of it: the dependencies are installed as whoever gets the package installs them. */
describe('the package of the sotto command, installed in an empty folder', () => {
  let folder: string;
  let installed: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sotto-package-'));
    await run('npm', ['pack', '-w', 'apps/terminal', '--silent', '--pack-destination', folder], ROOT);
    const [tarball = ''] = await readdir(folder);
    await run('npm', ['install', '--prefix', folder, '--prefer-offline', '--no-audit', '--no-fund', join(folder, tarball)], folder);
    installed = join(folder, 'node_modules/@sotto/terminal');
  }, 180_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('brings our code, and no package of ours that no registry has', async () => {
    expect(await readdir(join(folder, 'node_modules/@sotto'))).toEqual(['terminal']);
    expect(await readdir(join(folder, 'node_modules'))).not.toContain('ts-mls');
    for (const takenIn of ['ink', '@nestjs']) expect(await readdir(join(folder, 'node_modules'))).not.toContain(takenIn);
    expect(await readdir(join(installed, 'dist/bundle'))).toContain('LICENSE.ts-mls');
    expect(await readFile(join(installed, 'dist/bundle/LICENSES'), 'utf8')).toMatch(/^ink \d+\.\d+\.\d+\n\nMIT License/m);
  });

  it('has the command that npx finds', async () => {
    expect(await run('npx', ['--no-install', 'sotto', '--version'], folder)).toMatch(/^sotto \d/);
    expect(await run('npx', ['--no-install', 'sotto', 'help'], folder)).toContain('sotto host');
    expect(await readFile(join(installed, 'man/sotto.1'), 'utf8')).toContain('SOTTO DOCTOR');
  }, 30_000);

  it('hosts a server, registers and talks', async () => {
    const program = join(installed, 'bin/sotto.js');
    const passwordFile = join(folder, 'password');
    await writeFile(passwordFile, 'correct horse battery\n', { mode: 0o600 });
    const server = await hostStandalone(folder, RETRY_WINDOW_SECONDS, { program });
    const told: string[] = [];
    const scene = { folder, passwordFile, retryWindowSeconds: RETRY_WINDOW_SECONDS, program };
    await playStory({ server, ...scene, tell: (line) => told.push(line) });
    await server.stop();
    expect(told.at(-1)).toBe('the queue of alice is empty');
  }, 150_000);
});

describe('the package of the sotto command', () => {
  it('asks for the versions that the packages ask for whose code it carries', async () => {
    const read = async (path: string) => JSON.parse(await readFile(join(ROOT, path, 'package.json'), 'utf8')) as Manifest;
    const folders = await Promise.all(
      ['libs', 'apps'].map(async (room) => (await readdir(join(ROOT, room))).map((name) => `${room}/${name}`)),
    );
    const ours = await Promise.all(folders.flat().map(read));
    const { dependencies = {} } = await read('apps/terminal');
    const others = ours.flatMap(({ name, dependencies: wanted = {} }) =>
      Object.entries(wanted).map(([each, range]) => ({ name, each, range })),
    );
    expect(others.filter(({ each, range }) => dependencies[each] !== undefined && dependencies[each] !== range)).toEqual([]);
  });
});
