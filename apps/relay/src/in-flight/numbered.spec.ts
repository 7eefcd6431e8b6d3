import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Numbered } from './numbered.js';

interface Thing {
  number: number;
}

function added(things: Numbered<Thing>): Thing {
  const thing = { number: 0 };
  things.add(thing);
  return thing;
}

function all(things: Numbered<Thing>): Set<Thing> {
  const seen = new Set<Thing>();
  things.forEach((thing) => seen.add(thing));
  return seen;
}

describe('numbered things', () => {
  it('are found by number while they are there, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 99 }), { minLength: 1, maxLength: 6_000 }), (steps) => {
        const things = new Numbered<Thing>();
        const there: Thing[] = [];
        for (const step of steps) {
          if (step < 60 || there.length === 0) there.push(added(things));
          else {
            const [gone] = there.splice(step % there.length, 1);
            things.delete(gone!);
            expect(things.get(gone!.number)).toBeUndefined();
          }
        }
        expect(things.size).toBe(there.length);
        expect(there.every((thing) => things.get(thing.number) === thing)).toBe(true);
        expect(all(things)).toEqual(new Set(there));
        expect(new Set(there.map(({ number }) => number)).size).toBe(there.length);
      }),
      { numRuns: 20 },
    );
  });

  it('do not get the number of one that is gone', () => {
    const things = new Numbered<Thing>();
    const held = added(things);
    const numbers = new Set([held.number]);
    for (let i = 0; i < 10_000; i++) {
      const thing = added(things);
      numbers.add(thing.number);
      things.delete(thing);
      expect(things.get(thing.number)).toBeUndefined();
    }
    expect(numbers.size).toBe(10_001);
    expect(things.get(held.number)).toBe(held);
  });

  it('start again from 1 after the largest number, past those that are there', () => {
    const things = new Numbered<Thing>(0xfffffffe);
    expect([added(things).number, added(things).number]).toEqual([0xffffffff, 1]);
    expect(things.get(0xffffffff)?.number).toBe(0xffffffff);
  });

  it('may be deleted while they are visited, and twice', () => {
    const things = new Numbered<Thing>();
    for (let i = 0; i < 3_000; i++) added(things);
    things.forEach((thing) => {
      things.delete(thing);
      things.delete(thing);
    });
    expect([things.size, all(things).size]).toEqual([0, 0]);
  });
});
