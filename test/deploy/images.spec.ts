import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@sotto/testing';
import { itThoroughly } from '@sotto/testing/thoroughly';

const root = resolve(import.meta.dirname, '../..');
const SERVICES = ['gateway', 'auth', 'contacts', 'directory', 'relay'];
/** Whoever has one of these could read messages. */
const READERS = ['ts-mls', '@sotto/mls', '@sotto/client'];

interface Manifest {
  name: string;
  workspaces?: string[];
  dependencies?: Record<string, string>;
}

const readManifest = (file: string): Manifest => JSON.parse(readFileSync(file, 'utf8')) as Manifest;

async function closureOf(service: string): Promise<string> {
  const out = await temporaryFolder(`closure-${service}`);
  execFileSync(process.execPath, ['deploy/closure.mjs', `apps/${service}`, out], { cwd: root });
  return out;
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => statSync(join(folder, file)).isFile());
}

/** Every package that npm would install for a manifest: what it names, and what those name, as this repository has them installed. */
function installedFor(names: readonly string[], seen = new Set<string>()): Set<string> {
  for (const name of names) {
    if (seen.has(name)) continue;
    seen.add(name);
    installedFor(Object.keys(manifestOf(name)?.dependencies ?? {}), seen);
  }
  return seen;
}

function manifestOf(name: string): Manifest | undefined {
  try {
    return readManifest(join(root, 'node_modules', name, 'package.json'));
  } catch {
    return undefined;
  }
}

describe.each(SERVICES)("what goes into %s's image", (service) => {
  let out: string;
  beforeAll(async () => {
    out = await closureOf(service);
  });

  it('is its own workspace and those that it builds on', () => {
    const { workspaces = [] } = readManifest(join(out, 'package.json'));
    expect(workspaces).toContain(`apps/${service}`);
    expect(workspaces.filter((folder) => folder.startsWith('apps/'))).toEqual([`apps/${service}`]);
    expect(filesOf(out)).toContain(`apps/${service}/dist/main.js`);
  });

  // The other tests start it from a bundle.
  (service === 'gateway' ? it : itThoroughly)('starts, and says what it lacks', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'apps', service, 'dist/main.js')], { env: {}, encoding: 'utf8' });
    expect(stderr).toContain('NATS_URL: is not set');
    expect(status).toBe(1);
  });

  it('has no file of the MLS engine or the client', () => {
    const files = filesOf(out);
    expect(files.filter((file) => /^libs\/(mls|client|testing)\/|(^|\/)ts-mls\//.test(file))).toEqual([]);
    const importing = files.filter(
      (file) => /\.[cm]?js$/.test(file) && READERS.some((name) => readFileSync(join(out, file), 'utf8').includes(`'${name}`)),
    );
    expect(importing).toEqual([]);
  });

  it('installs no package that holds either, at any depth', () => {
    const { workspaces = [] } = readManifest(join(out, 'package.json'));
    const direct = workspaces.flatMap((folder) => Object.keys(readManifest(join(out, folder, 'package.json')).dependencies ?? {}));
    const packages = installedFor(direct);
    expect(packages).toContain('@sotto/platform');
    expect([...packages].filter((name) => READERS.includes(name))).toEqual([]);
  });
});

describe('the build of the images', () => {
  it('compiles nothing that the images leave out', () => {
    const left = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    const { references } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')) as { references: { path: string }[] };
    expect(references.map(({ path }) => path).filter((path) => left.includes(path.split('/')[0]!))).toEqual([]);
  });
});

/** To stderr. */
const INSPECTOR = 'Debugger listening on';
/** Node 20 does not know it; the images have a newer one. */
const KNOWS_THE_FLAG = spawnSync(process.execPath, ['--disable-sigusr1', '--eval', '']).status === 0;

/** What the command that an image starts with, changed so, complains of within so long after SIGUSR1. */
async function saysOnSigusr1(change: (command: string) => string, withinMs: number): Promise<string> {
  const folder = await temporaryFolder('image');
  mkdirSync(join(folder, 'apps/idle/dist'), { recursive: true });
  writeFileSync(join(folder, 'apps/idle/dist/main.js'), 'process.stdin.resume().on("end", () => process.exit()); console.log("started");');
  const [, command = ''] = /^CMD (\[.*\])$/m.exec(readFileSync(join(root, 'Dockerfile'), 'utf8')) ?? [];
  const [shell, ...args] = JSON.parse(change(command)) as [string, ...string[]];
  const env = { SERVICE: 'idle', PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, NODE_OPTIONS: '--inspect-port=0' };
  const service = spawn(shell, args, { cwd: folder, env });
  let said = '';
  service.stderr.on('data', (text) => (said += text));
  await once(service.stdout, 'data');
  service.kill('SIGUSR1');
  await Promise.race([once(service.stderr, 'data'), setTimeout(withinMs, undefined, { ref: false })]);
  const left = once(service, 'close');
  service.stdin.end();
  await left;
  return said;
}

describe('the command that an image starts with', () => {
  it('is one that a signal makes open an inspector, but for a flag', async () => {
    expect(readFileSync(join(root, 'Dockerfile'), 'utf8')).toMatch(/^CMD .*exec node --disable-sigusr1 /m);
    expect(await saysOnSigusr1((command) => command.replace('--disable-sigusr1', ''), 10_000)).toContain(INSPECTOR);
  });

  (KNOWS_THE_FLAG ? it : it.skip)('opens no inspector on a signal (skipped where Node is too old to know the flag)', async () => {
    expect(await saysOnSigusr1((command) => command, 500)).toBe('');
  });
});

interface Volume {
  source?: string;
  target?: string;
  read_only?: boolean;
  volume?: { subpath?: string };
}

interface Container {
  read_only?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  security_opt?: string[];
  ulimits?: { core?: number };
  mem_limit?: string;
  memswap_limit?: string;
  user?: string;
  build?: unknown;
  ports?: string[];
  networks?: string[];
  network_mode?: string;
  environment?: Record<string, string | number>;
  volumes?: (string | Volume)[];
}

interface Compose {
  services: Record<string, Container>;
  networks: Record<string, { internal?: boolean } | null>;
}

/** What reads YAML comes with Jest. */
const yaml = createRequire(import.meta.url)('js-yaml') as { load(text: string): unknown };
const compose = yaml.load(readFileSync(join(root, 'docker-compose.yml'), 'utf8')) as Compose;
const containers = Object.entries(compose.services);

/** Where the secrets' volume is seen: "subpath" for a part, "" for the whole. */
const partsOf = ({ volumes = [] }: Container): string[] =>
  volumes.flatMap((volume) => {
    if (typeof volume === 'string') return volume.startsWith('secrets:') ? [''] : [];
    return volume.source === 'secrets' ? [volume.volume?.subpath ?? ''] : [];
  });

describe('docker-compose.yml', () => {
  it('has all services', () => {
    expect(containers.map(([name]) => name)).toEqual(expect.arrayContaining([...SERVICES, 'init', 'migrate', 'nats', 'redis', 'postgres']));
  });

  it.each(containers)('%s writes nothing, has no rights, leaves no core and is never swapped', (name, container) => {
    expect(container).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'], ulimits: { core: 0 } });
    expect(container.memswap_limit).toBeDefined();
    expect(container.memswap_limit).toBe(container.mem_limit);
    if (name !== 'init') expect(container.cap_add).toBeUndefined();
  });

  it.each(containers.filter(([name]) => name !== 'init'))('%s does not run as root', (_name, container) => {
    // The Dockerfile's images have their own user.
    if (container.build === undefined) expect(container.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    else expect(container.user ?? '1000:1000').not.toMatch(/^0|root/);
  });

  it.each(containers)('%s has secrets in files alone', (_name, { environment = {} }) => {
    for (const [name, value] of Object.entries(environment)) {
      if (/PASSWORD|SECRET|KEY|TOKEN|IDENTITY|DATABASE_URL|REDIS_URL/.test(name))
        expect([name, value]).toEqual([expect.stringMatching(/_FILE$/), expect.stringMatching(/^\/secrets\//)]);
      expect(String(value)).not.toMatch(/:\/\/[^/]*@|[0-9a-f]{32}/);
    }
  });

  it.each(containers.filter(([name]) => name !== 'init'))(
    '%s sees its own part of the secrets, and cannot change it',
    (name, container) => {
      const allowed = name === 'auth' ? ['auth', 'admin'] : [name];
      expect(partsOf(container)).toEqual(allowed);
      for (const volume of container.volumes ?? []) if (typeof volume !== 'string') expect(volume.read_only).toBe(true);
    },
  );

  it('opens the gateway’s port and no other, and lets nothing but the gateway reach the world', () => {
    expect(containers.filter(([, { ports }]) => ports !== undefined).map(([name]) => name)).toEqual(['gateway']);
    const outward = Object.keys(compose.networks).filter((name) => compose.networks[name]?.internal !== true);
    expect(outward).toEqual(['front']);
    expect(containers.filter(([, { networks = [] }]) => networks.includes('front')).map(([name]) => name)).toEqual(['gateway']);
    expect(containers.filter(([, container]) => container.networks === undefined && container.network_mode !== 'none')).toEqual([]);
  });

  it('keeps the database from whoever has no business there', () => {
    const onDatabase = containers.filter(([, { networks = [] }]) => networks.includes('database')).map(([name]) => name);
    expect(onDatabase.sort()).toEqual(['auth', 'contacts', 'migrate', 'postgres']);
  });
});
