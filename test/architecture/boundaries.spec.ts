import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const root = resolve(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), '../..');
const configFile = join(root, '.dependency-cruiser.cjs');
const { forbidden } = createRequire(import.meta.url)(configFile) as { forbidden: { name: string }[] };

/** A small tree that breaks every rule: the file, and the relative path or package that it imports. */
const OFFENCES: Record<string, [file: string, imports: string]> = {
  'no-cycles': ['libs/platform/src/one.ts', './two.js'],
  'apps-never-import-apps': ['apps/auth/src/a.ts', '../../relay/src/index.js'],
  'terminal-imports-only-standalone': ['apps/terminal/src/a.ts', '../../auth/src/index.js'],
  'libs-never-import-apps': ['libs/platform/src/b.ts', '../../../apps/relay/src/index.js'],
  'protocol-imports-nothing-of-ours': ['libs/protocol/src/a.ts', '../../platform/src/index.js'],
  'channel-imports-only-protocol': ['libs/channel/src/a.ts', '../../platform/src/index.js'],
  'mls-imports-only-protocol': ['libs/mls/src/a.ts', '../../platform/src/index.js'],
  'client-imports-only-protocol-channel-mls': ['libs/client/src/a.ts', '../../testing/src/index.js'],
  'platform-imports-only-protocol': ['libs/platform/src/c.ts', '../../mls/src/index.js'],
  'server-apps-never-reach-mls-or-client': ['apps/contacts/src/a.ts', '../../../libs/platform/src/c.js'],
  'only-the-gateway-imports-channel': ['apps/directory/src/a.ts', '../../../libs/channel/src/index.js'],
  'clients-never-import-server-plumbing': ['apps/terminal/src/b.ts', 'ioredis'],
  'only-stores-touch-redis': ['apps/relay/src/a.ts', 'ioredis'],
  'only-stores-touch-the-database': ['apps/relay/src/b.ts', 'pg'],
  'programs-use-the-client-by-its-entry': ['apps/terminal/src/c.ts', '../../../libs/client/src/core.js'],
  'examples-import-only-the-client': ['examples/a-bot/bot.js', '../../libs/mls/src/index.js'],
  'product-never-imports-tests': ['apps/relay/src/c.ts', './d.spec.js'],
  'browser-safe-libs-import-no-node': ['libs/channel/src/b.ts', 'node:fs'],
};

interface Violation {
  rule: { name: string };
  from: string;
}

describe('import boundaries', () => {
  let folder: string;
  let violations: Violation[];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sotto-boundaries-'));
    for (const entry of ['apps/auth', 'apps/relay', 'libs/platform', 'libs/testing', 'libs/mls', 'libs/channel'])
      place(`${entry}/src/index.ts`, 'export const x = 1;');
    for (const name of ['ioredis', 'pg']) {
      place(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
      place(`node_modules/${name}/index.js`, 'module.exports = {};');
    }
    place('package.json', JSON.stringify({ name: 'fixture', type: 'module', dependencies: { ioredis: '1', pg: '1' } }));
    place('libs/client/src/core.ts', 'export const x = 1;');
    place('libs/platform/src/two.ts', "import { x } from './one.js';\nexport { x };");
    place('apps/relay/src/d.spec.ts', 'export const x = 1;');
    for (const [file, imports] of Object.values(OFFENCES)) place(file, `import * as x from '${imports}';\nexport { x };`);
    const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const run = spawnSync(process.execPath, [program, '--config', configFile, '-T', 'json', 'apps', 'examples', 'libs'], {
      cwd: folder,
      encoding: 'utf8',
    });
    if (run.stdout === '') throw new Error(run.stderr);
    violations = (JSON.parse(run.stdout) as { summary: { violations: Violation[] } }).summary.violations;
  }, 60_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function place(file: string, text: string): void {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), `${text}\n`);
  }

  it('has a planted offence for every rule', () => {
    expect(Object.keys(OFFENCES).sort()).toEqual(forbidden.map((rule) => rule.name).sort());
  });

  it.each(Object.entries(OFFENCES))('%s fires', (name, [file]) => {
    expect(violations.some((violation) => violation.rule.name === name && violation.from === file)).toBe(true);
  });
});
