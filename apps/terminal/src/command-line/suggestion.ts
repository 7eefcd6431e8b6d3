/** Edits (insert, delete, replace) between two words. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replace = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

/** The known word that was probably meant; undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known.map((candidate) => ({ candidate, edits: rank(word, candidate) })).sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best !== undefined && best.edits <= Math.max(2, Math.floor(word.length / 3)) ? best.candidate : undefined;
}

function rank(word: string, candidate: string): number {
  return word.length >= 2 && candidate.startsWith(word) ? 1 : distance(word, candidate);
}

/** ", did you mean x?" or nothing. */
export function didYouMean(word: string, known: readonly string[], prefix = ''): string {
  const best = nearest(word, known);
  return best === undefined ? '' : `, did you mean ${prefix}${best}?`;
}

/** A server that gives out tags made `bob.5273` of `bob`: "did you mean bob.5273?". Undefined when nobody is called so. */
export function withTag(name: string, known: readonly string[]): string | undefined {
  const meant = known.filter((each) => each.startsWith(`${name}.`));
  return meant.length === 0 ? undefined : `did you mean ${meant.join(' or ')}?`;
}
