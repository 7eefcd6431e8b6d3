// Copies one workspace and the workspaces that it depends on, as built, into a folder: what goes into a service's image and nothing else: no code that can hold an MLS secret.
// usage: node deploy/closure.mjs apps/gateway OUT [manifests]      manifests: only what npm reads, before anything is built
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [start, out, part] = process.argv.slice(2);
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
const workspaces = new Map(
  ['libs', 'apps']
    .flatMap((room) => readdirSync(room).map((name) => join(room, name)))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => [read(join(folder, 'package.json')).name, folder]),
);

const wanted = new Set();
(function visit(folder) {
  if (wanted.has(folder)) return;
  wanted.add(folder);
  for (const name of Object.keys(read(join(folder, 'package.json')).dependencies ?? {})) {
    if (workspaces.has(name)) visit(workspaces.get(name));
  }
})(start);

for (const folder of wanted) {
  mkdirSync(join(out, folder), { recursive: true });
  cpSync(join(folder, 'package.json'), join(out, folder, 'package.json'));
  if (part === 'manifests') continue;
  cpSync(join(folder, 'dist'), join(out, folder, 'dist'), { recursive: true, filter: (path) => !/\.(d\.ts|map|tsbuildinfo)$/.test(path) });
}
const root = read('package.json');
const own = { name: root.name, version: root.version, private: true, type: 'module', workspaces: [...wanted] };
writeFileSync(join(out, 'package.json'), `${JSON.stringify(own, null, 2)}\n`);
for (const file of ['package-lock.json', '.npmrc']) cpSync(file, join(out, file));
if (part !== 'manifests') cpSync('deploy', join(out, 'deploy'), { recursive: true });
