// Tells whether anything from which the build is made has changed: by names, sizes and times, as make does, because reading all would take longer.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { root } from './run.mjs';

const FOLDERS = ['apps', 'libs', 'test', 'prisma', 'scripts'];
const FILES = ['package-lock.json', 'package.json', 'tsconfig.base.json', 'tsconfig.json', 'LICENSE', 'node_modules/.package-lock.json'];
/** What the build and the tests write themselves. */
const WRITTEN = new Set(['node_modules', 'dist']);
const WRITTEN_PLACES = new Set(
  ['libs/platform/src/database/generated', 'libs/platform/seed', 'apps/terminal/seed', 'apps/terminal/man', 'apps/terminal/LICENSE'].map(
    (place) => place.replaceAll('/', sep),
  ),
);

function* filesIn(folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (WRITTEN.has(entry.name) || WRITTEN_PLACES.has(path)) continue;
    if (entry.isDirectory()) yield* filesIn(path);
    else yield path;
  }
}

/** Of the sources, in hex. */
export function fingerprint() {
  const hash = createHash('sha256');
  const files = [...FOLDERS.flatMap((folder) => [...filesIn(folder)]), ...FILES].filter((path) => existsSync(join(root, path)));
  for (const path of files.sort()) {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** Whether what the build makes is there: somebody may have removed it. */
export function isMade() {
  const packages = ['apps', 'libs', 'test'].flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name)));
  const compiled = packages.filter((folder) => existsSync(join(folder, 'tsconfig.json'))).map((folder) => join(folder, 'dist'));
  const others = [
    'apps/terminal/dist/bundle/sotto.js',
    'test/harness/dist/servers/sotto.js',
    'apps/terminal/man/sotto.1',
    'apps/terminal/seed',
  ];
  return [...compiled, ...others.map((path) => join(root, path))].every((path) => existsSync(path));
}
