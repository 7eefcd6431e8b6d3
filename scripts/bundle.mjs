// Makes what `npm pack -w apps/terminal` packs: the code of our own packages in one folder (they are on no registry), with all others as
// ordinary dependencies, because some of them are native. Refuses a package that apps/terminal/package.json does not name.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { root } from './run.mjs';

const TERMINAL = join(root, 'apps/terminal');
/** As deep in its package as libs/platform/dist/database, whose modules find the schema and the seed of the database by relative URLs. */
const BUNDLE = join(TERMINAL, 'dist/bundle');
const BUILT_IN = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));

const packageOf = (specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

/** Ours are taken in, with the modules of ts-mls that scripts/patch.mjs mended; relative paths are esbuild's. */
function onlyOurs(dependencies) {
  const resolved = ({ path, kind }) => {
    if (kind === 'entry-point' || BUILT_IN.has(path) || path.startsWith('@sotto/') || path.startsWith('#ts-mls/')) return undefined;
    if (dependencies[packageOf(path)] !== undefined) return { path, external: true };
    return { errors: [{ text: `${path} is not among the dependencies of apps/terminal/package.json` }] };
  };
  return { name: 'only ours', setup: (esbuild) => esbuild.onResolve({ filter: /^[^./]/ }, resolved) };
}

async function bundled(dependencies) {
  const { outputFiles } = await build({
    entryPoints: { sotto: join(TERMINAL, 'dist/main.js'), index: join(TERMINAL, 'dist/index.js') },
    outdir: BUNDLE,
    chunkNames: '[name]-[hash]',
    absWorkingDir: root,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    splitting: true,
    bundle: true,
    // Nest names what it injects by its class.
    keepNames: true,
    write: false,
    logLevel: 'error',
    plugins: [onlyOurs(dependencies)],
  });
  return outputFiles;
}

/** What has not changed is not touched: a command may run from this folder, and loads parts of it later. */
function write(files) {
  mkdirSync(BUNDLE, { recursive: true });
  for (const { path, contents } of files) {
    if (!existsSync(path) || !readFileSync(path).equals(contents)) writeFileSync(path, contents);
  }
  const made = new Set(files.map(({ path }) => basename(path)));
  for (const name of readdirSync(BUNDLE)) if (!made.has(name)) rmSync(join(BUNDLE, name));
}

async function manPageOf(version) {
  const { manPage } = await import('../apps/terminal/dist/command-line/man-page.js');
  mkdirSync(join(TERMINAL, 'man'), { recursive: true });
  writeFileSync(join(TERMINAL, 'man/sotto.1'), manPage(version));
}

export async function bundleTerminal() {
  const { dependencies, version } = JSON.parse(readFileSync(join(TERMINAL, 'package.json'), 'utf8'));
  write(await bundled(dependencies));
  await manPageOf(version);
  cpSync(join(root, 'libs/platform/dist/prisma'), join(TERMINAL, 'dist/prisma'), { recursive: true });
  cpSync(join(root, 'LICENSE'), join(TERMINAL, 'LICENSE'));
  cpSync(join(root, 'libs/mls/dist/ts-mls/LICENSE'), join(BUNDLE, 'LICENSE.ts-mls'));
}
