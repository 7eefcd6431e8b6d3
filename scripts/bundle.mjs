// Makes what `npm pack -w apps/terminal` packs: our code and that of the packages it uses in one folder, because ours are on no registry, and
// a command would long wait for those of others to load one by one. Left outside are the dependencies of apps/terminal: what is native, what
// looks for files beside its own code, and what brings no licence that the bundle could carry.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { root } from './run.mjs';

const TERMINAL = join(root, 'apps/terminal');
/** As deep in its package as libs/platform/dist/database, whose modules find the schema and the seed of the database by relative URLs. */
const BUNDLE = join(TERMINAL, 'dist/bundle');
const BUILT_IN = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));

/** Ink loads it only when somebody develops ink. */
const NEVER_LOADED = 'react-devtools-core';

const packageOf = (specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

/** Nest imports packages that nobody has installed, and reports their absence when one is needed: such an import stays as it is. */
function leaveOut(dependencies) {
  const resolved = async (esbuild, { path, pluginData, ...importer }) => {
    if (pluginData === leaveOut || BUILT_IN.has(path) || importer.kind === 'entry-point') return undefined;
    if (path === NEVER_LOADED) return { path, namespace: NEVER_LOADED };
    if (dependencies[packageOf(path)] !== undefined) return { path, external: true };
    if (importer.kind !== 'dynamic-import') return undefined;
    const { errors } = await esbuild.resolve(path, { ...importer, pluginData: leaveOut });
    return errors.length > 0 ? { path, external: true } : undefined;
  };
  return {
    name: 'leave out',
    setup: (esbuild) => {
      esbuild.onResolve({ filter: /^[^./]/ }, (importing) => resolved(esbuild, importing));
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
    plugins: [leaveOut(dependencies)],
  });
}

/** Of every package whose code is in the bundle, with what it asks to be passed on beside its licence. */
function licencesOf({ inputs }) {
  const folders = new Set(Object.keys(inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  return [...folders].sort().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const files = readdirSync(join(root, folder)).filter((each) => /^(?:licen[cs]e|notice)/i.test(each));
    if (!files.some((each) => /^licen/i.test(each)))
      throw new Error(
        `${name} has no licence that the bundle could carry: name it (or what needs it) among the dependencies of apps/terminal`,
      );
    const texts = files.map((each) => readFileSync(join(root, folder, each), 'utf8').trim());
    return `${name} ${version}\n\n${texts.join('\n\n')}\n`;
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
