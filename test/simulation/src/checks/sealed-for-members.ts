import type { Sealing } from './ledger.js';
import { short } from './sight.js';

/** Invariant 3: no message is sealed where a leaf is that its sender had seen removed; no generation seals two plaintexts. */
export function checkSealings(sealings: Iterable<Sealing>, nameOf: (device: string) => string): string[] {
  const sent = [...sealings].filter(({ left }) => left);
  return [...sent.flatMap((each) => checkRemoved(each, nameOf)), ...checkGenerations(sent, nameOf)];
}

function checkRemoved({ content, device, epoch, forbidden, members }: Sealing, nameOf: (device: string) => string): string[] {
  return forbidden.map((leaf) => {
    const removed = members.find((each) => each.leaf === leaf);
    return `${nameOf(device)} sealed ${short(content)} in epoch ${epoch} for ${nameOf(removed?.device ?? '')}, whom it had seen removed`;
  });
}

function checkGenerations(sent: readonly Sealing[], nameOf: (device: string) => string): string[] {
  const first = new Map<string, Sealing>();
  return sent.flatMap((each) => {
    const key = `${each.state}/${each.leaf}/${each.generation}`;
    const other = first.get(key);
    if (other === undefined) first.set(key, each);
    if (other === undefined || (other.plaintext === each.plaintext && other.content === each.content)) return [];
    const where = `generation ${each.generation} of epoch ${each.epoch}`;
    return [`${nameOf(each.device)} sealed both ${short(other.content)} and ${short(each.content)} with ${where}`];
  });
}
