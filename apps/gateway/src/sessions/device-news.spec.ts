import { fromBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectNatsBus, type NatsBus } from '@sotto/platform/bus';
import { toHex } from '@sotto/protocol';
import { DeviceChangedSchema } from '@sotto/protocol/internal';
import { startNats } from '@sotto/testing';
import { AttachedSession } from './attached-session.js';
import { DeviceNews } from './device-news.js';

const ACCOUNT = 'a1'.repeat(16);
const [PHONE, LAPTOP, TABLET] = ['a2', 'a3', 'a4'].map((digits) => digits.repeat(16)) as [string, string, string];

/** Between a gateway and its broker; the others have links of their own. */
class Link {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #isSilent = false;

  constructor(brokerPort: number) {
    this.#server = createServer((near) => this.#join(near, connect(brokerPort, '127.0.0.1')));
  }

  async open(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return `nats://127.0.0.1:${this.port}`;
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }

  /** Carries nothing any more, though both ends think that it stands. */
  fallSilent(): void {
    this.#isSilent = true;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#isSilent = false;
  }

  #join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (bytes) => void (this.#isSilent || to.write(bytes)));
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  }
}

describe('news of devices', () => {
  let nats: Awaited<ReturnType<typeof startNats>>;
  let link: Link;
  let gateway: NatsBus;
  let relay: NatsBus;
  let news: DeviceNews;
  let heard: string[];

  beforeEach(async () => {
    nats = await startNats();
    link = new Link(nats.port);
    gateway = await connectNatsBus({ servers: await link.open(), name: 'gateway' });
    relay = await connectNatsBus({ servers: nats.url, name: 'relay' });
    heard = [];
    relay.subscribe('device.changed', (payload) => {
      const { device, online } = fromBinary(DeviceChangedSchema, payload);
      heard.push(`${toHex(device)} ${online ? 'came' : 'went'}`);
    });
    // An answered request means that the subscription before it stands.
    await relay.request('settle', new Uint8Array(), { timeoutMs: 2_000 }).catch(() => undefined);
    news = new DeviceNews(gateway);
    news.onApplicationBootstrap();
  });

  afterEach(async () => {
    news.onApplicationShutdown();
    await Promise.all([gateway.close(), relay.close(), link.close()]);
    await nats.stop();
  });

  function tell(device: string, online: boolean): void {
    const session = new AttachedSession(ACCOUNT, device, false, 0);
    const [deliveryKey, revokedCapabilities] = [new Uint8Array(32), new Uint8Array(0)];
    session.route = { device, account: ACCOUNT, gateway: 1, connection: 1, deliveryKey, revokedCapabilities, invisible: false };
    news.tell(session, online);
  }

  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await sleep(5);
  }

  async function comeBack(): Promise<void> {
    const { port } = link;
    await link.close();
    await until(() => !gateway.connected);
    tell(TABLET, true);
    await link.open(port);
    await until(() => gateway.connected);
  }

  it('reach the others once while the broker is there', async () => {
    tell(PHONE, true);
    tell(PHONE, false);
    await until(() => heard.length === 2);
    expect(heard).toEqual([`${PHONE} came`, `${PHONE} went`]);
  });

  it('of a time when the broker was away, noticed or not, reach them when it is back: the last of each device, in order', async () => {
    link.fallSilent();
    tell(PHONE, true);
    tell(LAPTOP, true);
    tell(PHONE, false);
    expect(gateway.connected).toBe(true);
    await comeBack();
    await until(() => heard.length === 3);
    expect(heard).toEqual([`${LAPTOP} came`, `${PHONE} went`, `${TABLET} came`]);
  });

  it('are told again as often as the broker goes', async () => {
    await comeBack();
    await comeBack();
    tell(PHONE, true);
    await until(() => heard.includes(`${PHONE} came`));
    expect(heard.filter((each) => each === `${TABLET} came`).length).toBeGreaterThan(1);
  });
});
