// Mends dependencies whose defects upstream has not released a fix for. Does nothing when they are mended already, and refuses a
// file that does not come out as recorded: after an update of the dependency each edit has to be judged again.
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tsMls } from './patches/ts-mls.mjs';
import { root } from './run.mjs';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const occurrences = (text, part) => text.split(part).length - 1;

/** An edit that an earlier patch made already stays as it is. */
function applied(text, { find, replace, why }) {
  if (occurrences(text, find) === 1) return text.replace(find, () => replace);
  if (occurrences(text, find) === 0 && occurrences(text, replace) === 1) return text;
  throw new Error(`an edit does not apply exactly once: ${why}`);
}

function mend({ file, mended, edits }) {
  const path = join(root, file);
  const text = readFileSync(path, 'utf8');
  if (sha256(text) === mended) return;
  const result = edits.reduce(applied, text);
  if (sha256(result) !== mended)
    throw new Error(`${file} does not come out as recorded but as ${sha256(result)}; judge scripts/patches again`);
  // Renamed into place, so that nobody who runs meanwhile reads half a file.
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, result);
  renameSync(temporary, path);
  console.log(`patch: mended ${file}`);
}

export function patchDependencies() {
  for (const patch of tsMls) mend(patch);
}
