// Tells whether anything from which the build is made has changed: by names, sizes and times, as make does, because reading all would take longer.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { root } from './run.mjs';

const FOLDERS = ['apps', 'libs', 'test', 'prisma', 'scripts'];
const FILES = ['package-lock.json', 'package.json', 'tsconfig.base.json', 'tsconfig.json', 'LICENSE', 'node_modules/.package-lock.json'];
/** What the build writes itself. */
const WRITTEN = new Set(['node_modules', 'dist']);
/** Source that the build makes anew when its schema is newer, as it is by chance in a fresh clone. */
const GENERATED = 'libs/platform/src/database/generated';
const WRITTEN_PLACES = new Set(
  [GENERATED, 'libs/platform/seed', 'apps/terminal/seed', 'apps/terminal/man', 'apps/terminal/LICENSE'].map((place) =>
    place.replaceAll('/', sep),
  ),
);
const stamp = join(root, 'node_modules', '.sotto-built');

function* filesIn(folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (WRITTEN.has(entry.name) || WRITTEN_PLACES.has(path)) continue;
    if (entry.isDirectory()) yield* filesIn(path);
    else yield path;
  }
}

/** Of the sources but those that are generated, in hex. Of this folder's alone: what is built for the tests names its files by absolute paths. */
export function fingerprint() {
  return hashed([...FOLDERS.flatMap((folder) => [...filesIn(folder)]), ...FILES]);
}

function hashed(files) {
  const hash = createHash('sha256').update(root);
  for (const path of files.filter((each) => existsSync(join(root, each))).sort()) {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** Whether the last build was of these sources, and what it made is still there. */
export function isBuilt(sources) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === withGenerated(sources) && isMade();
}

/** @param sources as they were before the build: what is edited during one is not in it */
export function noteBuilt(sources) {
  writeFileSync(stamp, withGenerated(sources));
}

function withGenerated(sources) {
  return `${sources} ${hashed(existsSync(join(root, GENERATED)) ? [...filesIn(GENERATED)] : [])}`;
}

/** To be called before anything is built. */
export function forgetBuilt() {
  rmSync(stamp, { force: true });
}

function isMade() {
  const packages = ['apps', 'libs', 'test'].flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(parent, name)));
  const compiled = packages
    .filter((folder) => existsSync(join(root, folder, 'tsconfig.json')))
    .map((folder) => join(folder, 'dist/.tsbuildinfo'));
  const bundled = ['apps/terminal/dist/bundle/sotto.js', 'apps/terminal/dist/bundle/index.js', 'test/harness/dist/servers/sotto.js'];
  const copied = ['apps/terminal/dist/prisma/schema.prisma', 'apps/terminal/man/sotto.1', 'apps/terminal/LICENSE'];
  return (
    [...compiled, ...bundled, ...copied].every((path) => existsSync(join(root, path))) &&
    hasSeed('libs/platform') &&
    hasSeed('apps/terminal')
  );
}

function hasSeed(folder) {
  const seeds = join(root, folder, 'seed');
  return existsSync(seeds) && readdirSync(seeds).some((name) => name.endsWith('.tar.gz'));
}
