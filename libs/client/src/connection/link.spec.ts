import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { makeGatewayKey, pinOf, ready, ServerHandshake, signCertificate } from '@sotto/channel';
import { Contacts, FramesSchema, ListContactsResponseSchema, toHex } from '@sotto/protocol';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { ClientError } from '../client-error.js';
import { nodeSocketFactory } from '../node/index.js';
import { backoffMs } from './backoff.js';
import { Link } from './link.js';

let server: WebSocketServer;
let url: string;
let pin: string;
/** Frames of each box that the server got. */
let boxes: number[];
let answers: boolean;
/** Boxes of 32 KiB that come, 20 ms apart, before the answer to a call. */
let backlog: number;

beforeEach(async () => {
  await ready();
  boxes = [];
  answers = true;
  backlog = 0;
  const identity = makeGatewayKey();
  const gateway = makeGatewayKey();
  pin = toHex(await pinOf(identity.publicKey));
  const notBefore = Math.floor(Date.now() / 1_000) - 60;
  const certificate = signCertificate(
    { gatewayKey: gateway.publicKey, identityKey: identity.publicKey, notBefore: BigInt(notBefore), notAfter: BigInt(notBefore + 3_600) },
    identity.secretKey,
  );
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on('connection', (socket) => {
    void (async () => {
      const handshake = await ServerHandshake.start({ certificate, gatewaySigningKey: gateway.secretKey });
      const pending: Buffer[] = [];
      let channel: Awaited<ReturnType<typeof handshake.accept>> | undefined;
      let accepting = false;
      const open = (box: Buffer) => {
        const { frames } = fromBinary(FramesSchema, channel!.open(box));
        boxes.push(frames.length);
        const replies = frames.flatMap(({ kind }) =>
          kind.case === 'call'
            ? [
                {
                  kind: {
                    case: 'reply' as const,
                    value: { id: kind.value.id, body: toBinary(ListContactsResponseSchema, create(ListContactsResponseSchema)) },
                  },
                },
              ]
            : [],
        );
        if (!answers || replies.length === 0) return;
        const sendAll = (all: NonNullable<MessageInitShape<typeof FramesSchema>['frames']>) =>
          socket.send(channel!.seal(toBinary(FramesSchema, create(FramesSchema, { frames: all }))));
        void (async () => {
          for (let i = 0; i < backlog; i++) {
            sendAll([{ kind: { case: 'deliver', value: { payload: new Uint8Array(32 * 1024) } } }]);
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
          sendAll(replies);
        })();
      };
      socket.on('message', (data: Buffer) => {
        if (accepting) return channel === undefined ? void pending.push(data) : open(data);
        accepting = true;
        void handshake.accept(data).then((opened) => {
          channel = opened;
          pending.splice(0).forEach(open);
        });
      });
      socket.send(handshake.hello);
    })();
  });
});

afterEach(() => {
  for (const client of server.clients) client.terminate();
  server.close();
});

describe('a link', () => {
  it('puts the frames of one turn of the event loop into one box', async () => {
    const link = await Link.open(url, nodeSocketFactory, { pin });
    await Promise.all([1, 2, 3].map(() => link.call(Contacts.method.list, {})));
    expect(boxes).toEqual([3]);
    link.socket.close();
  });

  it('is not opened to a server with another identity', async () => {
    await expect(Link.open(url, nodeSocketFactory, { pin: '00'.repeat(32) })).rejects.toMatchObject({ reason: 'pin-changed' });
  });

  it('asks before anything is sent when no pin is known', async () => {
    const asked: string[] = [];
    const onNewPin = (shown: string) => asked.push(shown) > 1;
    await expect(Link.open(url, nodeSocketFactory, { onNewPin })).rejects.toMatchObject({ reason: 'pin-refused' });
    expect(asked).toEqual([pin]);
  });

  it('ends when the server falls silent, and rejects what waits', async () => {
    const link = await Link.open(url, nodeSocketFactory, { pin });
    answers = false;
    const call = link.call(Contacts.method.list, {});
    link.startHeartbeat(150);
    await expect(call).rejects.toMatchObject({ reason: 'offline' });
    expect(link.closed).toBe(true);
  });

  it('ends when more waits for the other end than it may, whatever is sent, also while it is being closed', async () => {
    const link = await Link.open(url, nodeSocketFactory, { pin });
    const ends: unknown[] = [];
    link.listen({ onFrames: () => undefined, onClosed: ({ reason, message }) => ends.push([reason, message]) });
    link.mostUnsentBytes = 64 * 1024;
    for (const client of server.clients) client.pause();
    for (let i = 0; i < 500 && !link.closed; i++) {
      link.send({ case: 'pong', value: { nonce: i } });
      link.send({ case: 'call', value: { id: i, method: 'none', body: new Uint8Array(200_000) } });
    }
    link.close(new ClientError('closed', 'by the program'));
    expect(ends).toEqual([['offline', 'the other end does not read']]);
  });

  it('waits for an answer that comes behind much else, longer than for one that nothing holds up, but not for ever', async () => {
    const link = await Link.open(url, nodeSocketFactory, { pin });
    link.listen({ onFrames: () => undefined, onClosed: () => undefined });
    backlog = 20;
    await link.call(Contacts.method.list, {}, 100);
    backlog = 100;
    await expect(link.call(Contacts.method.list, {}, 100)).rejects.toMatchObject({ reason: 'timeout' });
    link.socket.close();
  });

  it('gives up on a call that is not answered in time', async () => {
    const link = await Link.open(url, nodeSocketFactory, { pin });
    answers = false;
    await expect(link.call(Contacts.method.list, {}, 50)).rejects.toMatchObject({
      reason: 'timeout',
      message: 'the other end did not answer in time: try again',
    });
    link.socket.close();
  });
});

it('waits anything up to a bound that doubles to 30 s before it connects again', () => {
  expect([0, 1, 2, 20].map((failures) => backoffMs(failures, 1))).toEqual([500, 1_000, 2_000, 30_000]);
  expect(backoffMs(5, 0)).toBe(0);
});
