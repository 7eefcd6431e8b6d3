import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Contacts, fromHex } from '@sotto/protocol';
import { WebSocket } from 'ws';
import { type Server, startServer } from '../harness/dist/index.js';
import { becomeContacts, Person, until } from './people.js';
import { messagesIn, RecordingProxy, saysInClear } from './recording-proxy.js';
import { watchSends } from './sends.js';
import { PASSWORD, WireClient, wireDevice } from './wire-client.js';

const SUBPROTOCOL = 'sotto.v1';

describe.each(['standalone', 'services'] as const)('what a proxy before the server (%s) sees', (kind) => {
  let server: Server;
  let proxy: RecordingProxy;

  beforeAll(async () => {
    server = await startServer(kind);
  }, 180_000);

  beforeEach(async () => {
    proxy = await RecordingProxy.before(server.url);
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await proxy?.close();
  });

  afterAll(async () => {
    await server?.stop();
  }, 30_000);

  const throughProxy = () => ({ url: proxy.url, pin: server.pin, createInvite: (name?: string) => server.createInvite(name) });

  /** And is there to be seen when a client says it in clear. */
  const expectNotSeen = async (secrets: Record<string, Uint8Array | string>) => {
    expect(proxy.found(secrets)).toEqual([]);
    await saysInClear(proxy.url, SUBPROTOCOL, secrets);
    expect(proxy.found(secrets)).toEqual(Object.keys(secrets));
  };

  it('holds neither names, nor passwords, nor ids, nor methods in clear', async () => {
    const { client, session, deliveryKey } = await wireDevice(throughProxy(), 'alice_at_home');
    await client.call(Contacts.method.request, { name: 'bob_the_builder' });
    await client.close();
    expect(proxy.read.length).toBeGreaterThan(1_000);
    const said = { name: 'alice_at_home', 'name of another': 'bob_the_builder', password: PASSWORD, method: 'sotto.v1.Contacts' };
    const { accessToken, account, device } = session;
    await expectNotSeen({ ...said, accessToken, account, device, deliveryKey });
  });

  it('holds nothing of a message between two people, nor of whose it is and where it goes', async () => {
    const sent = watchSends();
    const text = 'the eagle has landed at seven';
    const anna = await Person.registers(server, 'anna_at_home', throughProxy());
    const bert = await Person.registers(server, 'bert_of_berlin', throughProxy());
    await becomeContacts(anna, bert);
    const id = await anna.sdk.send('bert_of_berlin', text);
    await until('it has arrived', () => anna.statusesOf(id).includes('delivered'));
    const [ofAnna, ofBert] = [anna.sdk.account!, bert.sdk.account!];
    await Promise.all([anna.leaves(), bert.leaves()]);
    const { device, token, payload } = sent.findLast((each) => each.device === ofBert.device)!;
    await expectNotSeen({
      ...{
        text,
        payload: payload.subarray(-96),
        'delivery token': token,
        'recipient device': fromHex(device),
        'recipient device in hex': device,
      },
      ...{ 'account of the sender': fromHex(ofAnna.account), 'account of the recipient': fromHex(ofBert.account) },
      ...{ 'name of the sender': ofAnna.name, 'name of the recipient': ofBert.name },
    });
  });

  it('opens nothing when it replays a recorded connection: the first box is refused', async () => {
    const { client } = await wireDevice(throughProxy(), 'carol');
    await client.close();
    const [clientHello, ...boxes] = messagesIn(Buffer.concat(proxy.recordings.at(-1)!.toServer));
    expect(boxes.length).toBeGreaterThan(0);
    const replay = new WebSocket(server.url, SUBPROTOCOL);
    let answers = 0;
    replay.on('message', () => answers++);
    const closing = new Promise((resolve) => replay.once('close', (code) => resolve(code)));
    await new Promise((resolve) => replay.once('message', resolve));
    replay.send(clientHello!);
    for (const box of boxes) replay.send(box);
    expect(await closing).toBe(4_000);
    expect(answers).toBe(1);
    await (await WireClient.connect(server.url, server.pin)).close();
  });
});
