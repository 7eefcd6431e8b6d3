import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Contacts } from '@sotto/protocol';
import { WebSocket } from 'ws';
import { type Server, startServer } from '../harness/dist/index.js';
import { clientMessages, RecordingProxy } from './recording-proxy.js';
import { PASSWORD, WireClient, wireDevice } from './wire-client.js';

describe.each(['standalone', 'services'] as const)('what a proxy before the server (%s) sees', (kind) => {
  let server: Server;
  let proxy: RecordingProxy;

  beforeAll(async () => {
    server = await startServer(kind);
    proxy = await RecordingProxy.before(server.url);
  }, 180_000);

  afterAll(async () => {
    await proxy?.close();
    await server?.stop();
  }, 30_000);

  it('holds neither names, nor passwords, nor ids, nor methods in clear', async () => {
    const invite = (name = '') => server.createInvite(name);
    const { client, session, deliveryKey } = await wireDevice({ url: proxy.url, pin: server.pin, createInvite: invite }, 'alice');
    await client.call(Contacts.method.request, { name: 'bob_the_builder' });
    await client.close();
    const secrets = [
      'alice',
      'bob_the_builder',
      PASSWORD,
      'sotto.v1.',
      session.accessToken,
      Buffer.from(session.account),
      Buffer.from(session.device),
      Buffer.from(session.device).toString('hex'),
      deliveryKey,
    ];
    expect(proxy.bytes.length).toBeGreaterThan(1_000);
    // The search can fail: the one thing that is in clear, the subprotocol of the upgrade, is found.
    expect(proxy.bytes.includes('sotto.v1\r\n')).toBe(true);
    expect(secrets.filter((secret) => proxy.bytes.includes(typeof secret === 'string' ? secret : Buffer.from(secret)))).toEqual([]);
  });

  it('opens nothing when it replays a recorded connection: the first box is refused', async () => {
    const { client } = await wireDevice({ url: proxy.url, pin: server.pin, createInvite: (name) => server.createInvite(name) }, 'carol');
    await client.close();
    const [clientHello, ...boxes] = clientMessages(Buffer.concat(proxy.recordings.at(-1)!.toServer));
    expect(boxes.length).toBeGreaterThan(0);
    const replay = new WebSocket(server.url, 'sotto.v1');
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
