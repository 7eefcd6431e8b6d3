import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import type { RpcCaller } from '@sotto/platform/rpc';
import type { Session } from '@sotto/protocol';
import { decodeJwt } from 'jose';
import { randomBytes } from 'node:crypto';
import { embedded, type Topology } from '../auth.contract.js';
import { PrismaAccountsStore } from '../accounts/prisma-accounts.store.js';
import type { AuthConfig } from '../auth.config.js';
import { DevicePlaces } from '../device-places/device-places.js';
import { MemoryDevicePlaceStore } from '../device-places/memory-device-place.store.js';
import { serverIdentityOf } from '../identity/server-identity.js';
import { openCredential } from './device-credential.js';
import { SessionIssuer } from './session-issuer.js';
import { isSessionOver } from './session-state.js';
import { unixNow } from './unix-now.js';

const ALICE = 'a1'.repeat(16);
const identity = serverIdentityOf(randomBytes(32));
const issuer = new SessionIssuer({ serverName: 'sotto.test' } as AuthConfig, identity, new DevicePlaces(new MemoryDevicePlaceStore()));
const caller = { channelBinding: new Uint8Array(32) } as RpcCaller;
const device = { id: 'd1'.repeat(16), authKey: new Uint8Array(32), pending: true };

let topology: Topology;
let store: PrismaAccountsStore;

beforeAll(async () => {
  topology = await embedded();
  store = new PrismaAccountsStore(topology.parts.database.client);
  const names = { name: 'alice', baseName: 'alice', tag: null };
  const keys = { passwordHash: 'the old one', identityKey: new Uint8Array(32) };
  await store.create({ id: ALICE, ...names, ...keys, invite: null, sessionsValidAfter: unixNow() });
}, 60_000);
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(() => topology.stop());

function pass(seconds: number): void {
  const now = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => now + seconds * 1_000);
}

/** Whether what was issued counts no more: the device's credential, and the token with which it attaches. */
async function isOver({ credential, accessToken }: Session): Promise<boolean[]> {
  const account = (await store.findById(ALICE))!;
  const issued = openCredential(identity.credentialKey, credential, unixNow())!.issued;
  return [Number(issued), decodeJwt(accessToken).iat!].map((since) => isSessionOver(account, { device: device.id, since }));
}

it('is over from the start when the password was changed while the old one was being checked', async () => {
  const asRead = (await store.findByName('alice'))!;
  pass(3);
  await store.changePassword(ALICE, { expected: 'the old one', passwordHash: 'the new one', sessionsValidAfter: unixNow() + 1 });
  pass(5);
  expect(await isOver(await issuer.open(asRead, device, caller))).toEqual([true, true]);
  expect(await isOver(await issuer.open((await store.findByName('alice'))!, device, caller))).toEqual([false, false]);
});
