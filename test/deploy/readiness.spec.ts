import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { makeGatewayKey, ready, signCertificate } from '@sotto/channel';
import { type Bus, connectNatsBus } from '@sotto/platform/bus';
import { subjectOf } from '@sotto/platform/rpc';
import { contractOf } from '@sotto/protocol';
import { CertifyRequestSchema, CertifyResponseSchema, Gateways, RpcReplySchema, RpcRequestSchema } from '@sotto/protocol/internal';
import { freePort, type RunningServer, startNats, startRedis } from '@sotto/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NodeCommand, runApp } from '../harness/dist/index.js';

/** What auth answers a gateway, by an identity of its own. */
function certify(payload: Uint8Array): Promise<Uint8Array> {
  const { gatewayKey } = fromBinary(CertifyRequestSchema, fromBinary(RpcRequestSchema, payload).body);
  const identity = makeGatewayKey();
  const now = BigInt(Math.floor(Date.now() / 1_000));
  const certificate = signCertificate(
    { gatewayKey, identityKey: identity.publicKey, notBefore: now, notAfter: now + 3_600n },
    identity.secretKey,
  );
  const response = create(CertifyResponseSchema, { certificate, tokenKey: identity.publicKey, server: 'sotto.test' });
  return Promise.resolve(toBinary(RpcReplySchema, create(RpcReplySchema, { body: toBinary(CertifyResponseSchema, response) })));
}

describe('a gateway whose auth is not there', () => {
  let grounds: RunningServer[] = [];
  let bus: Bus | undefined;
  let health: number;
  let door: number;

  const runGateway = (healthPort: number, isReady: NodeCommand['ready']) => {
    const [nats, redis] = grounds.slice(-2);
    const environment = { HEALTH_PORT: String(healthPort), GATEWAY_PORT: String(door), NATS_URL: nats!.url, REDIS_URL: redis!.url };
    return runApp({ name: 'gateway', environment, nodeArguments: [], port: door, ready: isReady });
  };

  const readiness = async () => {
    const response = await fetch(`http://127.0.0.1:${health}/readyz`);
    return { status: response.status, said: await response.json() };
  };

  beforeAll(async () => {
    await ready();
    const [nats, redis] = await Promise.all([startNats(), startRedis()]);
    grounds = [nats, redis];
    bus = await connectNatsBus({ servers: nats.url, name: 'tester' });
    [health, door] = await Promise.all([freePort(), freePort()]);
    grounds.unshift(await runGateway(health, { port: health, path: '/healthz', status: 200 }));
  }, 60_000);
  afterAll(async () => {
    await bus?.close();
    for (const server of grounds) await server.stop();
  });

  it('is not ready before its door is open, and ready then', async () => {
    let before = await readiness();
    // It has all the rest soon.
    while (JSON.stringify(before.said) !== JSON.stringify({ status: 'not ready', lacking: ['door', 'certificate'] })) {
      expect(before.status).toBe(503);
      await sleep(20);
      before = await readiness();
    }
    bus!.respond(subjectOf(contractOf(Gateways.method.certify)), 'auth', certify);
    while ((await readiness()).status !== 200) await sleep(20);
    expect((await fetch(`http://127.0.0.1:${door}/`)).status).toBe(426);
  });

  it('says which variable names its port when another has it, and ends', async () => {
    const port = await freePort();
    await expect(runGateway(port, { port, path: '/readyz', status: 200 })).rejects.toThrow(
      /"the gateway can't open: GATEWAY_PORT is taken by another process"/,
    );
  });
});
