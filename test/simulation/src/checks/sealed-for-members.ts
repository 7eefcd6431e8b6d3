import { keyOf, type Sealing } from './ledger.js';
import { short } from './sight.js';

/** Whether a device had durably opened a message at a time, by the message's id, and no older disk had forgotten it. */
export type Knew = (message: string, device: string, at: number) => boolean;

/**
 * Invariant 3: no message is sealed where a leaf is that its sender had seen removed; no generation seals two plaintexts. A device whose disk
 * is put back can know the second of these from others alone: it must have heard one, and none who had seen the first message.
 */
export function checkSealings(sealings: ReadonlyMap<string, Sealing>, knew: Knew, nameOf: (device: string) => string): string[] {
  const sent = [...sealings].filter(([, { left }]) => left);
  return [...sent.flatMap(([, each]) => checkRemoved(each, nameOf)), ...checkGenerations(sent, knew, nameOf)];
}

function checkRemoved({ content, device, epoch, forbidden, members }: Sealing, nameOf: (device: string) => string): string[] {
  return forbidden.map((leaf) => {
    const removed = members.find((each) => each.leaf === leaf);
    return `${nameOf(device)} sealed ${short(content)} in epoch ${epoch} for ${nameOf(removed?.device ?? '')}, whom it had seen removed`;
  });
}

function checkGenerations(sent: readonly [string, Sealing][], knew: Knew, nameOf: (device: string) => string): string[] {
  const first = new Map<string, [string, Sealing]>();
  return sent.flatMap(([message, each]) => {
    const key = keyOf(each);
    const [earlier, other] = first.get(key) ?? [message, each];
    first.set(key, [earlier, other]);
    if (other.plaintext === each.plaintext && other.content === each.content) return [];
    const witnesses = [...each.heard].filter(([device, at]) => knew(earlier, device, at)).map(([device]) => nameOf(device));
    if (each.heard.size > 0 && witnesses.length === 0) return [];
    const why =
      witnesses.length > 0
        ? `though it had heard ${witnesses.join(', ')}, who had seen the first`
        : 'and had heard nobody since it started';
    const where = `generation ${each.generation} of epoch ${each.epoch}`;
    return [`${nameOf(each.device)} sealed both ${short(other.content)} and ${short(each.content)} with ${where}, ${why}`];
  });
}
