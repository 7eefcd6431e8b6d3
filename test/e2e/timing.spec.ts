import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes, randomInt } from 'node:crypto';
import { Accounts, Contacts, KeyPackages, ReceiptStatus } from '@sotto/protocol';
import { startTopology, type Topology } from '../harness/dist/index.js';
import { tokenFor, WireClient, type WireDevice, wireDevice } from './wire-client.js';

const WARM_UP = 2;
/** Of the median of all: far above what equal steps differ by on a busy machine, far below what a step left out saves. */
const BOUND = 0.3;
/** A difference that is there is there each time; one that the machine made is not. */
const ATTEMPTS = 3;

interface Case {
  ask(): Promise<unknown>;
  /** Not timed. */
  after?(): Promise<unknown>;
}
type Cases = Record<string, Case>;
/** Milliseconds by case, one of each round. */
type Times = Map<string, number[]>;

/** Every round takes all cases in a new order, so that what disturbs the machine disturbs all alike. */
async function measure(cases: Cases, rounds: number): Promise<Times> {
  const times: Times = new Map(Object.keys(cases).map((name) => [name, []]));
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const [name, { ask, after }] of shuffled(Object.entries(cases))) {
      const start = performance.now();
      await ask();
      if (round >= 0) times.get(name)!.push(performance.now() - start);
      await after?.();
    }
  }
  return times;
}

function shuffled<T>(items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}

function median(values: number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

/** The pairs of cases that differ in the median over the rounds, with by how much of the median of all. */
function differences(times: Times): string[] {
  const middle = median([...times.values()].flat());
  const cases = [...times];
  return cases.flatMap(([one, ones], i) =>
    cases.slice(i + 1).flatMap(([other, others]) => {
      const difference = median(ones.map((ms, round) => ms - others[round]!)) / middle;
      return Math.abs(difference) > BOUND ? [`${one} - ${other}: ${Math.round(100 * difference)} % of ${middle.toFixed(1)} ms`] : [];
    }),
  );
}

async function expectAlike(attempt: (number: number) => Promise<Times>): Promise<void> {
  let found: string[] = [];
  for (let number = 0; number < ATTEMPTS; number++) {
    found = differences(await attempt(number));
    if (found.length === 0) return;
  }
  expect(found).toEqual([]);
}

function joined(all: Times[]): Times {
  const names = [...all[0]!.keys()];
  return new Map(names.map((name) => [name, all.flatMap((times) => times.get(name)!)]));
}

interface SendTo {
  readonly device: Uint8Array;
  readonly token: Uint8Array;
}

/** Sends to all of them at once, with a second to live. How long each took to its first receipt of that status. */
async function timesOf({ client }: WireDevice, recipients: Record<string, SendTo>, status: ReceiptStatus): Promise<Times> {
  const heard = client.frames.length;
  const times: Times = new Map();
  const sends = shuffled(Object.entries(recipients)).map(([name, recipient]) => {
    const id = randomBytes(16);
    client.send({ case: 'send', value: { id, recipients: [recipient], payload: randomBytes(200), ttl: 1 } });
    return { name, id, start: performance.now() };
  });
  while (times.size < sends.length) {
    const receipts = client.frames
      .slice(heard)
      .flatMap(({ kind }) => (kind.case === 'receipt' && kind.value.status === status ? kind.value : []));
    for (const { name, id, start } of sends)
      if (!times.has(name) && receipts.some((each) => id.equals(each.id))) times.set(name, [performance.now() - start]);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return times;
}

describe('the comparison of times', () => {
  const pause = (ms: number) => ({ ask: () => new Promise((resolve) => setTimeout(resolve, ms)) });

  it('finds a step that is left out, and nothing between equals', async () => {
    expect(
      differences(await measure({ one: pause(10), other: pause(10), short: pause(4) }, 12)).map((line) => line.replace(/:.*/, '')),
    ).toEqual(['one - short', 'other - short']);
  });
});

describe.each(['standalone', 'services'] as const)('the time in which %s answers', (kind) => {
  let server: Topology;
  let online: WireDevice;
  let blocking: WireDevice;
  let offline: WireDevice;
  let askers = 0;

  /** Someone new, whom `blocking` has blocked. */
  async function asker(): Promise<WireDevice> {
    const name = `asker_${askers++}`;
    const device = await wireDevice(server, name);
    await blocking.client.call(Contacts.method.block, { name });
    return device;
  }

  beforeAll(async () => {
    server = await startTopology(kind);
    [online, blocking, offline] = [await wireDevice(server, 'bob'), await wireDevice(server, 'carol'), await wireDevice(server, 'dave')];
    for (const device of [online, blocking, offline]) {
      const token = tokenFor(device);
      const expires = BigInt(Math.floor(Date.now() / 1_000) + 3_600);
      const lastResort = { keyPackage: token, cipherSuite: 1, expires, capability: token.subarray(0, 16) };
      await device.client.call(KeyPackages.method.publish, { lastResort });
    }
    await offline.client.close();
  }, 180_000);

  afterAll(async () => {
    await server?.stop();
  }, 30_000);

  it('a contact request does not tell whether anybody has the name, is there, or has blocked the asker', async () => {
    const ofOne = async (): Promise<Times> => {
      const { client } = await asker();
      const request = (name: string): Case => ({
        ask: () => client.call(Contacts.method.request, { name }),
        after: () => client.call(Contacts.method.remove, { name }),
      });
      const cases = { unknown: request('nobody_here'), online: request('bob'), blocking: request('carol'), offline: request('dave') };
      const times = await measure(cases, 12);
      await client.close();
      return times;
    };
    // All attempts together are as many as one address may make in an hour.
    await expectAlike(async () => joined([await ofOne(), await ofOne(), await ofOne()]));
  }, 150_000);

  it('a claim does not tell whether the account exists, is there, or has blocked the claimer', async () => {
    const ofOne = async (): Promise<Times> => {
      const { client } = await asker();
      const claim = (account: Uint8Array): Case => ({ ask: () => client.call(KeyPackages.method.claim, { account, cipherSuite: 1 }) });
      const cases = {
        unknown: claim(randomBytes(16)),
        online: claim(online.session.account),
        blocking: claim(blocking.session.account),
        offline: claim(offline.session.account),
      };
      // As many as one may make on one account in an hour.
      const times = await measure(cases, 28);
      await client.close();
      return times;
    };
    await expectAlike(async () => joined([await ofOne(), await ofOne(), await ofOne(), await ofOne()]));
  }, 100_000);

  it('a log-in does not tell whether anybody has the name', async () => {
    const client = await WireClient.connect(server.url, server.pin);
    const deviceAuthKey = randomBytes(32);
    const logIn = (name: string): Case => ({
      ask: () => client.ask(Accounts.method.logIn, { name, password: 'not the password', deviceAuthKey }),
    });
    // Names of their own each time, within the tries that one has.
    const names = ['bob', 'carol', 'dave'];
    await expectAlike((number) => measure({ unknown: logIn(`nobody_${number}`), known: logIn(names[number]!) }, 12));
    await client.close();
  }, 60_000);

  describe('a Send does not tell whether its device exists, is there, or gives leave:', () => {
    const recipients = () => ({
      unknown: { device: randomBytes(16), token: randomBytes(32) },
      'online, without leave': { device: online.session.device, token: randomBytes(32) },
      offline: { device: offline.session.device, token: tokenFor(offline) },
      'offline, without leave': { device: offline.session.device, token: randomBytes(32) },
    });

    it.each([
      ['neither in when it is accepted', ReceiptStatus.ACCEPTED, 20],
      ['nor in when it comes back', ReceiptStatus.UNDELIVERED, 3],
    ])(
      '%s',
      async (_, status, rounds) => {
        const sender = await asker();
        await expectAlike(async () => {
          const all: Times[] = [];
          for (let round = 0; round < rounds; round++) all.push(await timesOf(sender, recipients(), status));
          return joined(all);
        });
        await sender.client.close();
      },
      60_000,
    );
  });
});
