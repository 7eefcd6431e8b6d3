import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { InFlightMessage } from './message.js';
import { MessageTable } from './message-table.js';

/** An id that only its last bytes tell from others: who sends chooses it. */
function keyNumber(i: number): string {
  return String.fromCharCode(...new Uint8Array(14), i >>> 8, i & 255);
}

function messageOf(sender: string, key: string): InFlightMessage {
  return { sender, key } as InFlightMessage;
}

describe('the table of messages', () => {
  it('finds by sender and id what is there, whatever comes and goes', () => {
    const step = fc.record({ sender: fc.nat({ max: 3 }), id: fc.nat({ max: 2_000 }), isAdded: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6_000, size: 'max' }), (steps) => {
        const table = new MessageTable();
        const there = new Map<string, InFlightMessage>();
        for (const { sender, id, isAdded } of steps) {
          const message = messageOf(keyNumber(sender), keyNumber(id));
          const both = message.sender + message.key;
          const known = there.get(both);
          if (table.find(message.sender, message.key) !== known) return false;
          if (isAdded && known === undefined) {
            table.add(message);
            there.set(both, message);
          } else if (!isAdded && known !== undefined) {
            table.delete(known);
            table.delete(known);
            there.delete(both);
          }
        }
        const listed = [0, 1, 2, 3].flatMap((sender) => [...table.ofSender(keyNumber(sender))]);
        const all = [...there.values()];
        return table.size === all.length && listed.length === all.length && all.every((message) => listed.includes(message));
      }),
      { numRuns: 20 },
    );
  });

  it('looks at a few messages only, however many a sender has on their way, with ids that it chose', () => {
    const table = new MessageTable();
    let looked = 0;
    for (let i = 0; i < 20_000; i++) {
      const message = messageOf(keyNumber(7), keyNumber(i));
      const { key } = message;
      Object.defineProperty(message, 'key', { get: () => (looked++, key) });
      table.add(message);
    }
    looked = 0;
    for (let i = 0; i < 1_000; i++) expect(table.find(keyNumber(7), keyNumber(i))).toBeDefined();
    expect(looked).toBeLessThan(10_000);
  });

  it('forgets senders that have nothing on its way', () => {
    const table = new MessageTable();
    const message = messageOf(keyNumber(1), keyNumber(2));
    table.add(message);
    table.sweep();
    expect(table.hasSender(keyNumber(1))).toBe(true);
    table.delete(message);
    expect(table.hasSender(keyNumber(1))).toBe(false);
    table.sweep();
    table.add(message);
    expect(table.ofSender(keyNumber(1))).toEqual([message]);
  });
});
