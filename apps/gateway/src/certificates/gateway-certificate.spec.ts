import type { INestMicroservice } from '@nestjs/common';
import { ClientHandshake, inspectServerHello, makeGatewayKey, pinOf, ready, type SigningKeyPair, signCertificate } from '@sotto/channel';
import type { RpcClient } from '@sotto/platform/rpc';
import { TIMES } from '@sotto/protocol';
import type { CertifyRequest } from '@sotto/protocol/internal';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { gatewayService } from '../as-service.js';
import { DoorWorld } from '../connections/door.contract.js';
import { GatewayCertificateHolder } from './gateway-certificate.js';

const LIFE_MS = 1_000 * TIMES.certificateSeconds;
const MINUTE_MS = 60_000;

/** Certifies gateways for a day from now on, when it is there. */
class Auth {
  readonly identity: SigningKeyPair = makeGatewayKey();
  isAway = false;

  readonly call = ({ gatewayKey }: CertifyRequest) => {
    if (this.isAway) return Promise.reject(new Error('nobody answers'));
    const notBefore = BigInt(Math.floor(Date.now() / 1_000));
    const body = { gatewayKey, identityKey: this.identity.publicKey, notBefore, notAfter: notBefore + BigInt(TIMES.certificateSeconds) };
    const certificate = signCertificate(body, this.identity.secretKey);
    return Promise.resolve({ certificate, tokenKey: makeGatewayKey().publicKey, server: 'sotto.test' });
  };
}

describe("a gateway's certificate", () => {
  let auth: Auth;
  let world: DoorWorld;
  let certificate: GatewayCertificateHolder;
  let visits = 0;

  beforeEach(async () => {
    // Sockets and handshakes go by real time, certificates by the clock.
    jest.useFakeTimers({
      doNotFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'nextTick', 'queueMicrotask', 'performance'],
    });
    await ready();
    auth = new Auth();
    const rpc: object = { call: (_method: unknown, request: CertifyRequest) => auth.call(request) };
    certificate = new GatewayCertificateHolder(rpc as RpcClient);
    world = await DoorWorld.open({}, certificate);
  });

  afterEach(async () => {
    await world.close();
    jest.useRealTimers();
  });

  /** As on a machine that slept: timers have not run meanwhile. */
  const sleep = async (ms: number) => {
    jest.setSystemTime(Date.now() + ms);
    await jest.advanceTimersByTimeAsync(MINUTE_MS);
    await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const visit = () => world.visit(`10.0.${visits++}.1`);
  const shown = async () => {
    const { hello } = await visit();
    const pin = await pinOf(auth.identity.publicKey);
    const { channel } = await ClientHandshake.answer(hello!, { pin, now: Date.now() / 1_000 });
    channel.close();
    return inspectServerHello(hello!, pin);
  };

  /** What readiness asks of the gateway of this certificate. */
  const isReady = () => {
    const app: object = { get: () => certificate };
    return gatewayService.checks!(app as INestMicroservice)
      .find(({ name }) => name === 'certificate')!
      .check();
  };

  it('is another one, of another key, from half of its life on, and connections go on', async () => {
    const alice = await visit();
    const { clientHello, channel } = await ClientHandshake.answer(alice.hello!, { pin: undefined, now: Date.now() / 1_000 });
    alice.socket.send(clientHello);
    const first = await shown();
    await sleep(LIFE_MS / 2 - 2 * MINUTE_MS);
    expect(await shown()).toEqual(first);
    await sleep(MINUTE_MS);
    const second = await shown();
    expect(second.gatewayKey).not.toEqual(first.gatewayKey);
    expect(second.notAfter).toBeGreaterThan(first.notAfter);
    alice.socket.send(channel.seal(Uint8Array.of(1, 2, 3)));
    alice.socket.ping();
    await once(alice.socket, 'pong');
    expect([alice.isIn, world.heard]).toEqual([true, [Uint8Array.of(1, 2, 3)]]);
  });

  it('is renewed once auth is back, and neither shown nor ready when it has expired', async () => {
    const first = await shown();
    auth.isAway = true;
    await sleep(LIFE_MS - 3 * MINUTE_MS);
    expect(await shown()).toEqual(first);
    expect(isReady()).toBe(true);
    await sleep(MINUTE_MS);
    const late = await visit();
    expect(late.hello).toBeUndefined();
    expect(await late.closed).toMatchObject({ code: 1013 });
    expect(isReady()).toBe(false);
    auth.isAway = false;
    await sleep(0);
    expect(isReady()).toBe(true);
    expect((await shown()).notAfter).toBeGreaterThan(first.notAfter);
  });
});
