import { describe, expect, it } from '@jest/globals';
import { LIMITS } from '@sotto/protocol';
import { encodeBatch } from '@sotto/protocol/frames';
import fc from 'fast-check';
import { InProcessBus } from '../bus/in-process-bus.js';
import { BatchPublisher } from './batch-publisher.js';

const INCARNATION = 7;

function heard(bus: InProcessBus, subject: string): Uint8Array[] {
  const batches: Uint8Array[] = [];
  bus.subscribe(subject, (batch) => batches.push(batch));
  return batches;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a batch publisher', () => {
  it('publishes what one turn gathered as one message for each destination, entries in their order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: 2 }), fc.uint8Array({ minLength: 1, maxLength: 3_000 })), { maxLength: 30 }),
        async (entries) => {
          const bus = new InProcessBus();
          const publisher = new BatchPublisher(bus, INCARNATION, String);
          const batches = ['0', '1', '2'].map((subject) => heard(bus, subject));
          for (const [destination, entry] of entries) publisher.add(destination, entry);
          await turn();
          await turn();
          batches.forEach((of, destination) => {
            const mine = entries.filter(([to]) => to === destination).map(([, entry]) => entry);
            const expected = encodeBatch(
              INCARNATION,
              mine,
              mine.reduce((sum, { length }) => sum + length, 0),
            );
            expect(of.map((batch) => Buffer.from(batch))).toEqual(mine.length === 0 ? [] : [Buffer.from(expected)]);
          });
        },
      ),
      { numRuns: 30 },
    );
  });

  it('leaves a batch alone that it has published', async () => {
    const bus = new InProcessBus();
    const publisher = new BatchPublisher(bus, INCARNATION, String);
    const batches = heard(bus, '1');
    publisher.add(1, Uint8Array.of(1, 1));
    await turn();
    await turn();
    publisher.add(1, Uint8Array.of(2, 2));
    await turn();
    await turn();
    expect(batches.map((batch) => [...batch.subarray(5)])).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it('cuts what would be too large for one message', async () => {
    const bus = new InProcessBus();
    const publisher = new BatchPublisher(bus, INCARNATION, String);
    const batches = heard(bus, '1');
    for (let i = 0; i < 5; i++) publisher.add(1, new Uint8Array(100_000));
    publisher.add(1, new Uint8Array(300_000));
    await turn();
    await turn();
    expect(batches.map(({ length }) => length - 5)).toEqual([200_000, 200_000, 100_000, 300_000]);
    expect(Math.max(...batches.slice(0, 3).map(({ length }) => length))).toBeLessThanOrEqual(LIMITS.busBatchBytes);
  });
});
