import { afterEach, describe, expect, it } from '@jest/globals';
import { allLeave, Person } from './people.harness.js';

afterEach(allLeave);

/** Alice listens and knows bob; somebody else with the name bob has a key of its own. */
async function aliceAndTwoBobs() {
  const [alice, bob, other] = [await Person.called('alice'), await Person.called('bob'), await Person.called('bob')];
  const url = await alice.listens();
  await bob.client.connect(url);
  await alice.sees('bob');
  await bob.client.send('alice', 'it is me');
  await alice.reads('it is me');
  return { alice, bob, other, url };
}

describe('the key of a peer', () => {
  it('is asked about before a new listener learns anything, and refused without a yes', async () => {
    const alice = await Person.called('alice');
    const url = await alice.listens();
    const bob = await Person.called('bob', { onNewPeer: () => false });
    await bob.client.connect(url);
    expect(bob.state).toMatchObject({ state: 'refused', cause: expect.stringContaining(alice.client.pin) });
    expect([alice, bob].map(({ client }) => client.contacts())).toEqual([[], []]);
    const carol = await Person.called('carol', { onNewPeer: undefined });
    await carol.client.connect(url);
    expect(carol.state).toMatchObject({ state: 'refused' });
    expect(alice.of('contact')).toEqual([]);
  });

  it('tells a listener nothing when the yes comes after the user has given up', async () => {
    const alice = await Person.called('alice');
    let answer = (_yes: boolean): void => undefined;
    const asked = new Promise<boolean>((resolve) => (answer = resolve));
    const bob = await Person.called('bob', { onNewPeer: () => asked });
    const connecting = bob.client.connect(await alice.listens());
    await bob.until('connecting', () => bob.state?.state === 'connecting');
    bob.client.disconnect();
    answer(true);
    await connecting;
    expect([alice, bob].map(({ client }) => client.contacts())).toEqual([[], []]);
    expect(alice.of('contact')).toEqual([]);
  });

  it('must be the one after -k, and then nobody is asked', async () => {
    const alice = await Person.called('alice');
    const url = await alice.listens();
    const bob = await Person.called('bob', { onNewPeer: undefined });
    await bob.client.connect(url, { pin: '00'.repeat(32) });
    expect(bob.state).toMatchObject({ state: 'refused', cause: expect.stringContaining('another identity') });
    expect(alice.client.contacts()).toEqual([]);
    await bob.client.connect(url, { pin: alice.client.pin });
    await alice.sees('bob');
  });

  it('stops a listener that finds another behind a known name: loudly, and nothing goes to it before the user confirms', async () => {
    const { alice, bob, other, url } = await aliceAndTwoBobs();
    await bob.leaves();
    await alice.sees('bob', false);
    const waiting = await alice.client.send('bob', 'for the bob I know');
    await other.client.connect(url);
    expect(other.state).toMatchObject({ state: 'refused', cause: expect.stringContaining('with another key') });
    await alice.until('a warning', () => alice.of('problem').some(({ code, contact }) => code === 'key-changed' && contact === 'bob'));
    expect(alice.client.contacts()[0]!.changedKey).toBeDefined();
    expect(other.client.contacts()).toEqual([]);
    expect(other.texts).toEqual([]);

    expect(alice.client.safetyNumber('bob')).toBe(other.asked[0]!.safetyNumber);
    await alice.client.confirmKey('bob');
    await other.client.connect(url);
    await other.reads('for the bob I know');
    await alice.delivers(waiting);
    await other.client.send('alice', 'thank you');
    await alice.reads('thank you');
  });

  it('stops a dialer that finds another behind a known name, before it says anything', async () => {
    const [alice, bob, other] = [await Person.called('alice'), await Person.called('bob'), await Person.called('alice')];
    await bob.client.connect(await alice.listens());
    await alice.sees('bob');
    const { port } = alice.door!;
    await alice.leaves();
    await other.listens(port);
    await bob.until('refusal', () => bob.state?.state === 'refused');
    expect(bob.of('problem').map(({ code }) => code)).toEqual(['key-changed']);
    await other.until('the dialer gone', () => other.refused.length > 0);
    expect(other.client.contacts()).toEqual([]);

    await bob.client.confirmKey('alice');
    await bob.sees('alice');
    await bob.client.send('alice', 'so you are new');
    await other.reads('so you are new');
  });

  it('that the user confirms is the one expected from then on, though the dial named the old one', async () => {
    const [alice, bob, other] = [await Person.called('alice'), await Person.called('bob'), await Person.called('alice')];
    await bob.client.connect(await alice.listens(), { pin: alice.client.pin });
    await alice.sees('bob');
    const { port } = alice.door!;
    await alice.leaves();
    await other.listens(port);
    await bob.until('refusal', () => bob.state?.state === 'refused');
    await bob.client.confirmKey('alice');
    await bob.sees('alice');
  });

  it('goes on to be good while another tries the name', async () => {
    const { alice, bob, other, url } = await aliceAndTwoBobs();
    await other.client.connect(url);
    await alice.until('a warning', () => alice.of('problem').length > 0);
    expect(alice.client.contacts()).toEqual([expect.objectContaining({ name: 'bob', online: true })]);
    await alice.client.send('bob', 'still you');
    await bob.reads('still you');
  });

  it('is forgotten again when the known one comes back', async () => {
    const { alice, bob, other, url } = await aliceAndTwoBobs();
    await alice.client.hangUp('bob');
    bob.client.disconnect();
    await other.client.connect(url);
    await alice.until('the other key', () => alice.client.contacts()[0]!.changedKey !== undefined);
    await bob.client.connect(url);
    await alice.sees('bob');
    expect(alice.client.contacts()[0]!.changedKey).toBeUndefined();
    await alice.client.send('bob', 'welcome back');
    await bob.reads('welcome back');
  });

  it('is confirmed only as it was compared', async () => {
    const { alice, bob, other, url } = await aliceAndTwoBobs();
    await bob.leaves();
    await alice.sees('bob', false);
    await other.client.connect(url);
    await alice.until('the other key', () => alice.client.contacts()[0]!.changedKey !== undefined);
    const first = alice.client.safetyNumber('bob');
    const third = await Person.called('bob');
    await third.client.connect(url);
    await alice.until('the third key', () => alice.refused.length > 1);
    await expect(alice.client.confirmKey('bob')).rejects.toMatchObject({ reason: 'pin-changed' });
    expect(alice.client.safetyNumber('bob')).not.toBe(first);
    await alice.client.confirmKey('bob');
    await third.client.connect(url);
    await alice.sees('bob');
  });

  it('of strangers is not let in where one is expected', async () => {
    const [bob, carol] = [await Person.called('bob'), await Person.called('carol')];
    const alice = await Person.called('alice', { admit: bob.client.pin });
    const url = await alice.listens();
    await carol.client.connect(url);
    expect(carol.state).toMatchObject({ state: 'refused' });
    await bob.client.connect(url);
    await alice.sees('bob');
    expect(alice.client.contacts().map(({ name }) => name)).toEqual(['bob']);
  });

  it('is not one’s own, nor under one’s own name', async () => {
    const [alice, namesake] = [await Person.called('alice'), await Person.called('alice')];
    const url = await alice.listens();
    for (const person of [alice, namesake]) {
      await person.client.connect(url);
      expect(person.state).toMatchObject({ state: 'refused' });
      expect(person.client.contacts()).toEqual([]);
    }
  });
});
