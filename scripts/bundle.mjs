// Makes what `npm pack -w apps/terminal` packs: the code of our own packages in one folder (they are on no registry), and of those that a
// command would long wait for, with all others as ordinary dependencies, because some of them are native. Refuses a package that
// apps/terminal/package.json does not name.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { root } from './run.mjs';

const TERMINAL = join(root, 'apps/terminal');
/** As deep in its package as libs/platform/dist/database, whose modules find the schema and the seed of the database by relative URLs. */
const BUNDLE = join(TERMINAL, 'dist/bundle');
const BUILT_IN = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));

/**
 * Taken in with all that they need: as packages they are 570 files, which a command would wait for longer than for all the rest. What draws the
 * screen, and what is pinned exactly and not native, so that whoever installs gets no other version than the one in the bundle.
 */
const TAKEN_IN = ['ink', 'react', 'string-width', '@hpke/core', '@noble/ciphers', '@noble/curves', '@noble/hashes', 'cborg'];
/** Ink loads it only when somebody develops ink. */
const NEVER_LOADED = 'react-devtools-core';

const packageOf = (specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

/** Ours are taken in, with the modules of ts-mls that scripts/patch.mjs mended; relative paths are esbuild's. */
function onlyOurs(dependencies) {
  const isTakenIn = (path, importer) => TAKEN_IN.includes(packageOf(path)) || importer.includes('/node_modules/');
  const resolved = ({ path, kind, importer }) => {
    if (kind === 'entry-point' || BUILT_IN.has(path) || path.startsWith('@sotto/') || path.startsWith('#')) return undefined;
    if (path === NEVER_LOADED) return { path, namespace: NEVER_LOADED };
    if (dependencies[packageOf(path)] !== undefined) return { path, external: true };
    if (isTakenIn(path, importer)) return undefined;
    return { errors: [{ text: `${path} is not among the dependencies of apps/terminal/package.json` }] };
  };
  return {
    name: 'only ours',
    setup: (esbuild) => {
      esbuild.onResolve({ filter: /^[^./]/ }, resolved);
      esbuild.onLoad({ filter: /.*/, namespace: NEVER_LOADED }, () => ({ contents: 'export default undefined' }));
    },
  };
}

async function bundled(dependencies) {
  return build({
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
    // React has one for those who develop with it, too.
    define: { 'process.env.NODE_ENV': '"production"' },
    // What is no module asks for parts of Node by `require`.
    banner: { js: "import { createRequire as requireFor } from 'node:module';\nconst require = requireFor(import.meta.url);" },
    metafile: true,
    write: false,
    logLevel: 'error',
    plugins: [onlyOurs(dependencies)],
  });
}

/** Of every package whose code is in the bundle. */
function licencesOf({ inputs }) {
  const folders = new Set(Object.keys(inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  return [...folders].sort().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, folder)).find((each) => /^licen[cs]e/i.test(each));
    if (file === undefined) throw new Error(`${name} has no licence that the bundle could carry`);
    return `${name} ${version}\n\n${readFileSync(join(root, folder, file), 'utf8').trim()}\n`;
  });
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
  const { outputFiles, metafile } = await bundled(dependencies);
  write(outputFiles);
  writeFileSync(join(BUNDLE, 'LICENSES'), licencesOf(metafile).join(`\n${'-'.repeat(80)}\n\n`));
  await manPageOf(version);
  cpSync(join(root, 'libs/platform/dist/prisma'), join(TERMINAL, 'dist/prisma'), { recursive: true });
  cpSync(join(root, 'LICENSE'), join(TERMINAL, 'LICENSE'));
  cpSync(join(root, 'libs/mls/dist/ts-mls/LICENSE'), join(BUNDLE, 'LICENSE.ts-mls'));
}
