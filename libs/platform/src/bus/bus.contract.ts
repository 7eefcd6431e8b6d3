import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from './bus.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !holds(); i++) await sleep(5);
  expect(holds()).toBe(true);
}

/** What every Bus promises. `open` gives buses that reach each other (one and the same for in-process); `settle` lets subscriptions take hold. */
export function busContract(name: string, open: () => Promise<{ publisher: Bus; subscriber: Bus; settle: () => Promise<void> }>): void {
  describe(name, () => {
    let publisher: Bus;
    let subscriber: Bus;
    let settle: () => Promise<void>;
    beforeEach(async () => ({ publisher, subscriber, settle } = await open()));
    afterEach(async () => {
      await publisher.close();
      await subscriber.close();
    });

    it('keeps the order of one publisher on a subject', async () => {
      const seen: string[] = [];
      subscriber.subscribe('order', (payload) => seen.push(text(payload)));
      await settle();
      const sent = Array.from({ length: 500 }, (_, n) => String(n));
      for (const one of sent) publisher.publish('order', bytes(one));
      await until(() => seen.length === sent.length);
      expect(seen).toEqual(sent);
    });

    it('does not call a subscriber before publish has returned', async () => {
      let returned = false;
      const at: boolean[] = [];
      subscriber.subscribe('later', () => at.push(returned));
      await settle();
      publisher.publish('later', bytes('x'));
      returned = true;
      await until(() => at.length === 1);
      expect(at).toEqual([true]);
    });

    it('gives each message to one member of a queue group and to every subscriber without one', async () => {
      const grouped: string[] = [];
      const single: string[] = [];
      for (const member of ['a', 'b']) subscriber.subscribe('work', () => grouped.push(member), { queue: 'workers' });
      subscriber.subscribe('work', () => single.push('s'));
      await settle();
      for (let i = 0; i < 100; i++) publisher.publish('work', bytes('x'));
      await until(() => grouped.length + single.length === 200);
      expect(single).toHaveLength(100);
      expect(new Set(grouped)).toEqual(new Set(['a', 'b']));
    });

    it('matches one token by * and the rest by >', async () => {
      const star: string[] = [];
      const rest: string[] = [];
      subscriber.subscribe('gateway.*.event', (_payload, subject) => star.push(subject));
      subscriber.subscribe('gateway.>', (_payload, subject) => rest.push(subject));
      await settle();
      for (const subject of ['gateway', 'gateway.1.event', 'gateway.1.out', 'gateway.1.event.x']) publisher.publish(subject, bytes('x'));
      await until(() => rest.length === 3);
      expect(star).toEqual(['gateway.1.event']);
      expect(rest).toEqual(['gateway.1.event', 'gateway.1.out', 'gateway.1.event.x']);
    });

    it('goes on after a handler has thrown', async () => {
      let calls = 0;
      subscriber.subscribe('fragile', () => {
        calls++;
        throw new Error('on purpose');
      });
      await settle();
      publisher.publish('fragile', bytes('1'));
      publisher.publish('fragile', bytes('2'));
      await until(() => calls === 2);
    });

    it('calls nobody after unsubscribe', async () => {
      const seen: string[] = [];
      subscriber.subscribe('leave', (payload) => seen.push(text(payload))).unsubscribe();
      subscriber.subscribe('marker', () => seen.push('marker'));
      await settle();
      publisher.publish('leave', bytes('x'));
      publisher.publish('marker', bytes('x'));
      await until(() => seen.length > 0);
      expect(seen).toEqual(['marker']);
    });

    it('hands over what was on its way to a subscription that is drained, and nothing after that', async () => {
      const seen: string[] = [];
      const leaving = subscriber.subscribe('drained', (payload) => seen.push(text(payload)));
      await settle();
      // From the same end: the broker has them before it hears of the drain.
      for (let i = 0; i < 200; i++) subscriber.publish('drained', bytes('before'));
      await leaving.drain();
      expect(seen).toHaveLength(200);
      publisher.publish('drained', bytes('after'));
      await settle();
      expect(seen).toHaveLength(200);
    });

    it('answers a request once, by one member of the group', async () => {
      let served = 0;
      for (let i = 0; i < 2; i++) subscriber.respond('echo', 'g', async (payload) => (served++, payload));
      await settle();
      expect(text(await publisher.request('echo', bytes('hello'), { timeoutMs: 2_000 }))).toBe('hello');
      expect(served).toBe(1);
    });

    it('tells apart that nobody serves a subject and that there was no answer in time', async () => {
      subscriber.respond('slow', 'g', () => new Promise(() => undefined));
      subscriber.respond('broken', 'g', () => Promise.reject(new Error('on purpose')));
      await settle();
      await expect(publisher.request('nobody', bytes('x'), { timeoutMs: 2_000 })).rejects.toMatchObject({
        name: 'BusError',
        reason: 'no-responder',
      });
      await expect(publisher.request('broken', bytes('x'), { timeoutMs: 50 })).rejects.toMatchObject({
        name: 'BusError',
        reason: 'timeout',
      });
    });

    it('refuses more than 1 MiB', async () => {
      const large = new Uint8Array(1024 * 1024 + 1);
      expect(() => publisher.publish('large', large)).toThrow(RangeError);
      await expect(publisher.request('large', large, { timeoutMs: 100 })).rejects.toThrow(RangeError);
    });

    it('lets a running handler answer before a drain ends, and is closed afterwards', async () => {
      let started = false;
      subscriber.respond('drain', 'g', async (payload) => {
        started = true;
        await sleep(50);
        return payload;
      });
      await settle();
      const answer = publisher.request('drain', bytes('last'), { timeoutMs: 2_000 });
      await until(() => started);
      await subscriber.drain();
      expect(text(await answer)).toBe('last');
      expect(subscriber.connected).toBe(false);
      await expect(subscriber.request('drain', bytes('x'), { timeoutMs: 100 })).rejects.toMatchObject({ reason: 'closed' });
    });
  });
}
