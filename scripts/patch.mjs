// Copies a dependency, mended, into the package that publishes it: upstream has not released a fix, and what is installed beside
// a published package cannot be mended there. Refuses a file that does not come out as recorded: after an update of the dependency
// each edit has to be judged again.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { TS_MLS } from './patches/ts-mls.mjs';
import { root } from './run.mjs';

const IMPORT = /\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g;
const SOURCE_MAP = /\/\/# sourceMappingURL=.*\s*$/;

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const read = (...path) => readFileSync(join(root, ...path), 'utf8');
const occurrences = (text, part) => text.split(part).length - 1;
const importsOf = (text) => [...text.matchAll(IMPORT)].map(([, specifier]) => specifier);

/** An edit that was made in place before stays as it is. */
function edited(text, { find, replace, why }) {
  if (occurrences(text, find) === 1) return text.replace(find, () => replace);
  if (occurrences(text, find) === 0 && occurrences(text, replace) === 1) return text;
  throw new Error(`an edit does not apply exactly once: ${why}`);
}

function mended({ source, modules, files }, name) {
  const text = read(source, modules, name);
  const patch = files.find(({ file }) => file === name);
  if (patch === undefined) return text.replace(SOURCE_MAP, '');
  const result = patch.edits.reduce(edited, text);
  if (sha256(result) !== patch.mended) throw new Error(`${name} comes out as ${sha256(result)}: judge scripts/patches again`);
  return result.replace(SOURCE_MAP, '');
}

/** The modules that the wanting package imports. */
function entriesOf({ wantedBy }) {
  const sources = readdirSync(join(root, wantedBy), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return sources.flatMap((file) => importsOf(read(wantedBy, file)).flatMap((specifier) => specifier.match(/^#ts-mls\/(.+)$/)?.[1] ?? []));
}

/** Those and whatever they import, with their types. */
function modulesOf(dependency) {
  const found = new Map();
  const visit = (name) => {
    if (found.has(name)) return;
    const text = mended(dependency, name);
    found.set(name, text);
    if (name.endsWith('.js')) visit(name.replace(/\.js$/, '.d.ts'));
    for (const specifier of importsOf(text)) {
      if (!specifier.startsWith('.')) throw new Error(`${name} imports ${specifier}, which is not vendored`);
      visit(normalize(join(dirname(name), specifier)).replaceAll('\\', '/'));
    }
  };
  entriesOf(dependency).forEach(visit);
  return found;
}

/** Leaves a file that is the same alone, so that the compiler does not start over; nobody who runs meanwhile reads half a file. */
function place(path, text) {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return false;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
  return true;
}

function vendor(dependency) {
  const { source, target, version } = dependency;
  if (JSON.parse(read(source, 'package.json')).version !== version) throw new Error(`${source} is not at ${version}`);
  const files = [...modulesOf(dependency), ['LICENSE', read(source, 'LICENSE')]];
  const placed = files.filter(([name, text]) => place(join(root, target, name), text));
  const wanted = new Set(files.map(([name]) => normalize(name)));
  const present = readdirSync(join(root, target), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const entry of present) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (!wanted.has(relative(join(root, target), path))) rmSync(path);
  }
  if (placed.length > 0) console.log(`patch: ${placed.length} of ${files.length} files into ${target}`);
}

export function patchDependencies() {
  vendor(TS_MLS);
}
