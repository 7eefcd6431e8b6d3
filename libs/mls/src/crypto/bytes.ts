const text = new TextEncoder();
const labels = new Map<string, Uint8Array>();

/** Of a label, of which the program has few: each is encoded once. Not to be changed. */
export function bytesOfLabel(label: string): Uint8Array {
  const known = labels.get(label) ?? text.encode(label);
  labels.set(label, known);
  return known;
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const all = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

/** For public values only: the time it takes depends on them. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
