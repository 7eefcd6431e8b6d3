import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import type { Change } from '@sotto/client';
import { type Server, startServer } from '../harness/dist/index.js';
import { allIn, isIn, membersSeenBy } from './group-members.js';
import { becomeContacts, Person, until } from './people.js';
import { watchSends } from './sends.js';
import { describeMainlyOn } from './topologies.js';

const WINDOW_SECONDS = 2;
/** Rejoining and waiting for a winner go by their own times. */
const LONG = 240_000;

/** Holds back what leaves either of them until both have made a commit: neither has heard of the other's then. */
function meetAtCommit(...people: readonly Person[]): void {
  const made = new Set<Person>();
  let release: () => void;
  const met = new Promise<void>((resolve) => (release = resolve));
  for (const person of people)
    person.beforeCommit = async (changes) => {
      if (!changes.some(isCommit)) return;
      if (made.add(person).size === people.length) release();
      await met;
    };
}

function isCommit({ collection, value }: Change): boolean {
  return collection === 'outbox' && value !== undefined && Buffer.from(value).includes('commit');
}

describeMainlyOn('services')('groups on %s', (kind) => {
  let server: Server;
  let alice: Person;
  let bob: Person;
  let carol: Person;

  beforeAll(async () => {
    server = await startServer(kind, { retryWindowSeconds: WINDOW_SECONDS });
    [alice, bob, carol] = await Promise.all([
      Person.registers(server, 'alice'),
      Person.registers(server, 'bob'),
      Person.registers(server, 'carol'),
    ]);
    await becomeContacts(alice, bob);
    await becomeContacts(alice, carol);
  }, LONG);

  afterEach(() => {
    jest.restoreAllMocks();
    for (const person of [alice, bob, carol]) person.beforeCommit = undefined;
  });

  afterAll(async () => {
    await Promise.all([alice, bob, carol].map((person) => person?.leaves()));
    await server?.stop();
  }, 30_000);

  it(
    'lets three people talk of whom two are no contacts of each other',
    async () => {
      const group = await alice.sdk.groups.create('tea', ['bob', 'carol']);
      await allIn(group, [alice, bob, carol]);
      const id = await bob.sdk.groups.send(group, 'milk?');
      await until('alice and carol have it', () => [alice, carol].every((each) => each.textsFrom('bob').includes('milk?')));
      await until('bob has the receipt', () => bob.statusesOf(id).includes('delivered'));
      expect(carol.inbox.at(-1)).toMatchObject({ from: expect.stringMatching(/^bob~[0-9a-f]{4}$/), conversation: group });
    },
    LONG,
  );

  it(
    'keeps nobody whose removal is not in question, neither in a group nor in a conversation of two',
    async () => {
      const group = await alice.sdk.groups.create('chess', ['bob']);
      await allIn(group, [alice, bob]);
      await alice.sdk.send('bob', 'your move');
      await until('bob has it', () => bob.textsFrom('alice').includes('your move'));
      for (const conversation of [group, 'bob'])
        await expect(alice.sdk.groups.keep(conversation, 'bob')).rejects.toMatchObject({ reason: 'not-allowed' });
    },
    LONG,
  );

  it(
    'brings who was away for a commit and twenty messages up to date from the third, while the committer is away',
    async () => {
      const group = await alice.sdk.groups.create('harbour', ['bob', 'carol']);
      await allIn(group, [alice, bob, carol]);
      await carol.leaves();
      await alice.sdk.groups.rename(group, 'pier');
      await until('bob sees the name', () => bob.sdk.groups.get(group).name === 'pier');
      for (let i = 0; i < 20; i++) await alice.sdk.groups.send(group, `wave ${i}`);
      await until('bob has all', () => bob.textsFrom('alice').filter((text) => text.startsWith('wave')).length === 20);
      await alice.leaves();
      await carol.returns();
      await until('carol has the name', () => carol.sdk.groups.get(group).name === 'pier', 60_000);
      await until('carol has all', () => carol.textsFrom('alice').filter((text) => text.startsWith('wave')).length === 20, 60_000);
      await alice.returns();
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      expect(carol.textsFrom('alice').filter((text) => text === 'wave 7')).toHaveLength(1);
    },
    LONG,
  );

  it(
    'lets a member read nothing after it was removed',
    async () => {
      const group = await alice.sdk.groups.create('secrets', ['bob', 'carol']);
      await allIn(group, [alice, bob, carol]);
      await alice.sdk.groups.remove(group, ['carol']);
      await allIn(group, [alice, bob]);
      await until('carol is out', () => !isIn(carol, group));
      const id = await alice.sdk.groups.send(group, 'not for carol');
      await until('bob has it', () => bob.textsFrom('alice').includes('not for carol'));
      await until('alice has the receipt', () => alice.statusesOf(id).includes('delivered'));
      await expect(carol.sdk.groups.send(group, 'still here')).rejects.toMatchObject({ reason: 'unknown-group' });
      expect(carol.textsFrom('alice')).not.toContain('not for carol');
      await carol.leaves();
      await carol.returns();
      expect(carol.sdk.groups.former()).toContainEqual({ id: group, name: 'secrets' });
    },
    LONG,
  );

  it(
    'keeps one group when two commit at once',
    async () => {
      const group = await alice.sdk.groups.create('race', ['bob', 'carol']);
      await allIn(group, [alice, bob, carol]);
      const sent = watchSends();
      meetAtCommit(alice, bob);
      await Promise.all([alice.sdk.groups.rename(group, 'from alice'), bob.sdk.groups.rename(group, 'from bob')]);
      const claims = () => sent.filter(({ slot }) => slot !== '');
      const rivals = () => claims().filter(({ slot, commit }) => claims().some((other) => other.slot === slot && other.commit !== commit));
      await until('two commits ask for one slot', () => rivals().length > 0);
      const names = () => [alice, bob, carol].map((person) => person.sdk.groups.get(group).name);
      await until(
        'all see one name',
        () => new Set(names()).size === 1 && names()[0] !== 'race',
        60_000,
        () => names().join(),
      );
      await bob.sdk.groups.send(group, `after the race ${kind}`);
      await until('all go on', () => [alice, carol].every((each) => each.textsFrom('bob').includes(`after the race ${kind}`)), 60_000);
    },
    LONG,
  );

  it(
    'gets in who was away when it was added, though whoever added it has left',
    async () => {
      await carol.leaves();
      const group = await alice.sdk.groups.create('handover', ['bob', 'carol']);
      await until('bob is in', () => isIn(bob, group), 60_000);
      await until('the group has three', () => membersSeenBy(bob, group).length === 3, 60_000);
      await alice.leaves();
      await bob.sdk.groups.send(group, 'welcome, carol');
      await carol.returns();
      await until('carol is in', () => isIn(carol, group), 200_000);
      await until('carol reads on', () => carol.textsFrom('bob').includes('welcome, carol'), 60_000);
      await alice.returns();
    },
    LONG + 60_000,
  );
});
