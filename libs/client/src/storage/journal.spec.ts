import { describe, expect, it } from '@jest/globals';
import { Journal } from './journal.js';
import { MemoryStore } from './memory.store.js';

describe('what is gathered at the end of a step', () => {
  it('is gathered once, however often it was asked for', async () => {
    const journal = new Journal(new MemoryStore());
    const owner = {};
    const ran: string[] = [];
    for (const name of ['first', 'second']) journal.lastly(owner, () => void ran.push(name));
    await journal.commit();
    expect(ran).toEqual(['second']);
  });

  it('is gathered again when something else changes it then, and is durable with all the rest', async () => {
    const store = new MemoryStore();
    const journal = new Journal(store);
    const ratchets = {};
    let generation = 1;
    const seal = () => {
      generation++;
      journal.lastly(ratchets, () => journal.put('ratchets', 'state', generation));
    };
    seal();
    journal.lastly({}, seal);
    await journal.commit();
    expect(await store.load('ratchets')).toEqual(await afterPutting(3));
  });
});

async function afterPutting(value: number): Promise<unknown> {
  const store = new MemoryStore();
  const journal = new Journal(store);
  journal.put('ratchets', 'state', value);
  await journal.commit();
  return store.load('ratchets');
}
