import { fromBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectNatsBus, type NatsBus } from '@sotto/platform/bus';
import { toHex } from '@sotto/protocol';
import { DeviceChangedSchema } from '@sotto/protocol/internal';
import { startNats, WeakLink } from '@sotto/testing';
import { AttachedSession } from './attached-session.js';
import { DeviceNews } from './device-news.js';

// A link that falls silent is noticed after seconds, and an attempt to connect that was made meanwhile takes some more.
jest.setTimeout(60_000);

const ACCOUNT = 'a1'.repeat(16);
const [PHONE, LAPTOP, TABLET] = ['a2', 'a3', 'a4'].map((digits) => digits.repeat(16)) as [string, string, string];

describe('news of devices', () => {
  let nats: Awaited<ReturnType<typeof startNats>>;
  /** Of the gateway to its broker; the others have links of their own. */
  let link: WeakLink;
  let gateway: NatsBus;
  let relay: NatsBus;
  let news: DeviceNews;
  let heard: string[];

  beforeEach(async () => {
    nats = await startNats();
    link = await WeakLink.to(nats.port);
    gateway = await connectNatsBus({ servers: `nats://127.0.0.1:${link.port}`, name: 'gateway' });
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

  it('reach the others once while the broker is there', async () => {
    tell(PHONE, true);
    tell(PHONE, false);
    await until(() => heard.length === 2);
    expect(heard).toEqual([`${PHONE} came`, `${PHONE} went`]);
  });

  it('of a time when the broker was away, noticed or not, reach them when it is back: the last of each device, in order', async () => {
    link.silence();
    tell(PHONE, true);
    tell(LAPTOP, true);
    tell(PHONE, false);
    expect(gateway.connected).toBe(true);
    await until(() => !gateway.connected);
    tell(TABLET, true);
    link.mend();
    await until(() => heard.length === 3);
    expect(heard).toEqual([`${LAPTOP} came`, `${PHONE} went`, `${TABLET} came`]);
  });

  it('are told again as often as the broker goes, where that may have lost them', async () => {
    tell(PHONE, true);
    for (const times of [2, 3]) {
      await until(() => heard.length === times - 1);
      link.cut();
      await until(() => heard.length === times);
    }
    expect(new Set(heard)).toEqual(new Set([`${PHONE} came`]));
  });
});
