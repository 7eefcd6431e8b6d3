// Makes one file of each server app, of the command that hosts one, and of what prepares their database, for the tests: a process that loads
// 1,400 modules one by one has used a second of CPU before it does anything, and the tests start several hundred. See
// docs/decisions/tests-run-bundled-servers.md.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { root } from './run.mjs';

const SERVERS = ['auth', 'contacts', 'directory', 'gateway', 'relay', 'standalone'];
const BUNDLES = join(root, 'test/harness/dist/servers');

/** Found where they are: they look for binaries beside their own code, and Nest's decorators need the last one before any module runs. */
const NOT_BUNDLED = /^(?:argon2|libsql|@electric-sql\/pglite|@prisma\/schema-engine-wasm\/.*|reflect-metadata)$/;
/** Ink loads it only when somebody develops ink. */
const NEVER_LOADED = 'react-devtools-core';
const FIRST_LINES = [
  "import 'reflect-metadata';",
  // What is no module asks for parts of Node by `require`.
  "import { createRequire as requireFor } from 'node:module';",
  'const require = requireFor(import.meta.url);',
];

/** Our modules that find a file beside themselves (migrations, the seed of the database) look where they were compiled. */
const keepPlaces = {
  name: 'keep places',
  setup: (esbuild) =>
    esbuild.onLoad({ filter: /\/(?:libs|apps)\/[^/]+\/dist\/.*\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
    })),
};

/** Nest imports packages that nobody has installed, and reports their absence when one is needed: such an import stays as it is. */
const leaveOut = {
  name: 'leave out',
  setup: (esbuild) =>
    esbuild.onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...importer }) => {
      const optional = importer.kind === 'dynamic-import' || path === NEVER_LOADED;
      if (pluginData === leaveOut || !(optional || NOT_BUNDLED.test(path))) return undefined;
      const { path: file, errors } = await esbuild.resolve(path, { ...importer, pluginData: leaveOut });
      if (errors.length > 0) return optional ? { path, external: true } : { errors };
      return NOT_BUNDLED.test(path) ? { path: pathToFileURL(file).href, external: true } : undefined;
    }),
};

export async function bundleServers() {
  const { outputFiles } = await build({
    entryPoints: {
      ...Object.fromEntries(SERVERS.map((name) => [name, join(root, 'apps', name, 'dist/main.js')])),
      sotto: join(root, 'apps/terminal/dist/main.js'),
      migrate: join(root, 'test/harness/dist/migrate.js'),
      'shared-process': join(root, 'test/harness/dist/shared-process.js'),
    },
    outdir: BUNDLES,
    absWorkingDir: root,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    splitting: true,
    bundle: true,
    // Nest names what it injects by its class.
    keepNames: true,
    banner: { js: FIRST_LINES.join('\n') },
    write: false,
    logLevel: 'error',
    plugins: [keepPlaces, leaveOut],
  });
  write(outputFiles);
}

/** What has not changed is not touched: a server may run from this folder, and loads parts of it later. */
function write(files) {
  mkdirSync(BUNDLES, { recursive: true });
  for (const { path, contents } of files) {
    if (!existsSync(path) || !readFileSync(path).equals(contents)) writeFileSync(path, contents);
  }
  const made = new Set(files.map(({ path }) => basename(path)));
  for (const name of readdirSync(BUNDLES)) if (!made.has(name)) rmSync(join(BUNDLES, name));
}
