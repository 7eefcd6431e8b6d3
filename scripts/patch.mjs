// Mends dependencies whose defects upstream has not released a fix for. Does nothing when they are mended already, and refuses a
// file it does not know: after an update of the dependency each edit has to be judged again.
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tsMls } from './patches/ts-mls.mjs';
import { root } from './run.mjs';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

function applied(text, { find, replace, why }) {
  const [before, after, ...more] = text.split(find);
  if (after === undefined || more.length > 0) throw new Error(`an edit does not apply exactly once: ${why}`);
  return before + replace + after;
}

function mend({ file, published, mended, edits }) {
  const path = join(root, file);
  const text = readFileSync(path, 'utf8');
  if (sha256(text) === mended) return;
  if (sha256(text) !== published) throw new Error(`${file} is neither as published nor as mended; judge scripts/patches again`);
  const result = edits.reduce(applied, text);
  if (sha256(result) !== mended) throw new Error(`${file} does not come out as recorded`);
  // Renamed into place, so that nobody who runs meanwhile reads half a file.
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, result);
  renameSync(temporary, path);
  console.log(`patch: mended ${file}`);
}

export function patchDependencies() {
  for (const patch of tsMls) mend(patch);
}
