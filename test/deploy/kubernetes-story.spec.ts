import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from '@nats-io/transport-node';
import { fromHex } from '@sotto/protocol';
import { temporaryFolder } from '@sotto/testing';
import { certifyBroker, makeBrokerKey } from '../../deploy/broker-certificate.mjs';
import { becomeContacts, Person, until } from '../e2e/people.js';
import { BEHIND_THE_DOOR, Rehearsal } from './kubernetes-rehearsal.js';

describe('two of each service, as the manifests have them', () => {
  let cluster: Rehearsal;
  let alice: Person;
  let bob: Person;

  /** The server as one of its gateways shows it. */
  async function through(replica: 0 | 1) {
    const { pin } = await cluster.invite('');
    const createInvite = async (name = ''): Promise<string> => (await cluster.invite(name)).code;
    return { url: cluster.gatewayUrl(replica), pin: fromHex(pin), createInvite };
  }

  async function talk(from: Person, to: Person, text: string): Promise<void> {
    const id = await from.sdk.send(to.name, text);
    await until(`${to.name} has "${text}"`, () => to.textsFrom(from.name).includes(text));
    await until(`${from.name} has the receipt`, () => from.statusesOf(id).includes('delivered'));
  }

  beforeAll(async () => {
    cluster = await Rehearsal.start();
  }, 180_000);
  afterAll(async () => {
    await Promise.all([alice?.leaves(), bob?.leaves()]);
    await cluster?.stop();
  }, 60_000);

  it('make an invite that carries the name, the port and the pin of the server', async () => {
    const { code, pin, link } = await cluster.invite('carol');
    expect(pin).toMatch(/^[0-9a-f]{64}$/);
    expect(link).toBe(`sotto://chat.example.org:7788/#${pin}/${code}/carol`);
  });

  it('let alice and bob in by different gateways, and carry what they write to each other', async () => {
    alice = await Person.registers(await through(0), 'alice');
    bob = await Person.registers(await through(1), 'bob');
    await becomeContacts(alice, bob);
    await talk(alice, bob, 'hello bob');
    await talk(bob, alice, 'hello alice');
    expect(alice.sdk.account?.server).toBe('chat.example.org');
  }, 60_000);

  it('go on when one of each behind the door has ended, and let somebody new in', async () => {
    for (const service of BEHIND_THE_DOOR) await cluster.end(service, 0);
    await talk(alice, bob, 'still there?');
    await talk(bob, alice, 'still here');
    const dave = await Person.registersForNow(await through(1), 'dave');
    expect(dave.sdk.account?.name).toBe('dave');
    await dave.leaves();
  }, 90_000);

  it('take alice in by the other gateway when hers has ended', async () => {
    await cluster.end('gateway', 0);
    await alice.leaves();
    alice = await Person.comesFrom(await through(1), 'alice', alice.folder);
    await alice.sdk.resume();
    await talk(bob, alice, 'welcome back');
    expect(bob.textsFrom('alice')).toEqual(['hello bob', 'still there?']);
  }, 60_000);

  it('have a broker that speaks to nobody in clear, nor to who trusts another certificate', async () => {
    const pass = cluster.read('relay/nats-password');
    const open = (tls?: { ca: string }) =>
      connect({ servers: cluster.natsUrl, user: 'relay', pass, reconnect: false, ...(tls === undefined ? {} : { tls }) });
    const other = join(await temporaryFolder('other-certificate'), 'tls.key');
    writeFileSync(other, makeBrokerKey());
    await expect(open({ ca: certifyBroker(other, ['localhost']) })).rejects.toThrow(/self.signed|unable to verify/i);
    await expect(open()).rejects.toThrow(/self.signed|unable to verify/i);
    const connection = await open({ ca: cluster.read('relay/nats-ca') });
    expect(connection.info).toMatchObject({ tls_required: true });
    await connection.close();
  });
});
