import 'reflect-metadata';
import { create, type DescMethodUnary, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Payload } from '@nestjs/microservices';
import { type Bus, connectNatsBus, InProcessBus } from '@sotto/platform/bus';
import { gatewayEventSubject } from '@sotto/platform/leases';
import { closeLiveState, connectLiveState, DEVICE_ROUTE_STORE, type DeviceRouteStore, type LiveState } from '@sotto/platform/live-state';
import { BusRpcServer, Rpc, RpcClient, type RpcCaller } from '@sotto/platform/rpc';
import { PlatformModule } from '@sotto/platform/service';
import { contractOf, ErrorCode, fromHex, KeyPackages, toHex } from '@sotto/protocol';
import { ContactLookup, GatewayEventSchema, KeyPackageLedger, type MayClaimRequest } from '@sotto/protocol/internal';
import { recordRedis, startNats, startRedis, type StepRecorder } from '@sotto/testing';
import { DirectoryModule, directoryConfigSchema } from './index.js';

const ALICE = '1'.repeat(32);
const BOB = '2'.repeat(32);
const CAROL = '3'.repeat(32);
const NOBODY_ELSE = '4'.repeat(32);
const DAVE = '6'.repeat(32);
const ERIN = '7'.repeat(32);
const GATEWAY = 78;

/** These are contacts of each other, and nobody else is. */
const FRIENDS = [ALICE, BOB, DAVE, ERIN];

@Controller()
class ContactsParty {
  /** What happens once the right to claim is read, and before the answer arrives. */
  static meanwhile: () => Promise<unknown> = () => Promise.resolve();

  @Rpc(ContactLookup.method.mayClaim)
  async mayClaim(@Payload() { claimer, owner }: MayClaimRequest) {
    const right = { allowed: FRIENDS.includes(toHex(claimer)) && FRIENDS.includes(toHex(owner)), since: 1_000n };
    await ContactsParty.meanwhile();
    return right;
  }

  @Rpc(ContactLookup.method.accountChanged)
  async accountChanged() {
    return {};
  }
}

@Module({})
class Root {}

let serial = 0;
function published(over: Partial<{ keyPackage: Uint8Array; cipherSuite: number; expires: bigint; capability: Uint8Array }> = {}) {
  serial += 1;
  const capability = fromHex(serial.toString(16).padStart(32, '0'));
  return {
    keyPackage: new Uint8Array(300).fill(serial),
    cipherSuite: 1,
    expires: BigInt(Math.floor(Date.now() / 1_000) + 3_600),
    capability,
    ...over,
  };
}
const some = (count: number) => Array.from({ length: count }, () => published());

function directoryStory(
  topology: string,
  open: () => Promise<{ bus: Bus; liveState: LiveState; steps?: StepRecorder; close(): Promise<unknown> }>,
): void {
  describe(`directory ${topology}`, () => {
    let parts: Awaited<ReturnType<typeof open>>;
    let app: INestMicroservice;
    /** Subjects of what directory asks others. */
    const asked: string[] = [];
    beforeAll(async () => {
      parts = await open();
      const { bus } = parts;
      const request = bus.request.bind(bus);
      bus.request = (subject, ...rest) => (asked.push(subject), request(subject, ...rest));
      const config = directoryConfigSchema.parse({ CLAIMS_PER_CONTACT: '6' });
      const imports = [
        PlatformModule.forRoot({ bus: parts.bus, liveState: parts.liveState, serviceName: 'directory' }),
        DirectoryModule.forRoot(config),
      ];
      app = await NestFactory.createMicroservice(
        { module: Root, imports, controllers: [ContactsParty] },
        { strategy: new BusRpcServer(parts.bus), logger: false, abortOnError: false },
      );
      await app.listen();
    });
    afterAll(async () => {
      await app?.close();
      await parts?.close();
    });

    const clientOf = (): RpcClient => new RpcClient(parts.bus, { service: 'tester' });

    async function bytes<M extends DescMethodUnary>(account: string, method: M, request: MessageInitShape<M['input']>) {
      const caller: RpcCaller = { account, device: account, pending: false, channelBinding: new Uint8Array(32), address: '', service: '' };
      return clientOf().forward(contractOf(method), toBinary<M['input']>(method.input, create<M['input']>(method.input, request)), caller);
    }

    async function as<M extends DescMethodUnary>(
      account: string,
      method: M,
      request: MessageInitShape<M['input']>,
    ): Promise<MessageShape<M['output']>> {
      const reply = await bytes(account, method, request);
      if (reply.error !== undefined) throw new Error(ErrorCode[reply.error.code]);
      return fromBinary<M['output']>(method.output, reply.body);
    }

    const claim = (claimer: string, owner: string) => bytes(claimer, KeyPackages.method.claim, { account: fromHex(owner), cipherSuite: 1 });

    it('answers a claim on nobody, on a stranger and on a contact with nothing left with the same bytes', async () => {
      expect((await as(CAROL, KeyPackages.method.publish, { oneTime: some(2) })).left).toBe(2);
      for (const owner of [NOBODY_ELSE, CAROL, BOB]) {
        const reply = await claim(ALICE, owner);
        expect([reply.body.length, reply.error]).toEqual([0, undefined]);
      }
      expect(await as(CAROL, KeyPackages.method.count, {})).toMatchObject({ left: 2, hasLastResort: false });
    });

    it('takes the same steps for a claim on nobody, on a stranger and on a contact with nothing left, and for one that is revoked', async () => {
      await as(CAROL, KeyPackages.method.publish, { oneTime: some(1) });
      const stepsOf = async (owner: string): Promise<string[]> => {
        await parts.steps?.take();
        asked.length = 0;
        await claim(DAVE, owner);
        return [...asked, ...((await parts.steps?.take()) ?? [])];
      };
      const steps = [];
      // The first loads the scripts.
      for (const owner of [NOBODY_ELSE, NOBODY_ELSE, CAROL, ERIN]) steps.push(await stepsOf(owner));
      expect(steps[1]!.length).toBeGreaterThan(parts.steps === undefined ? 0 : 5);
      for (const other of steps.slice(2)) expect(other).toEqual(steps[1]);
      await as(ERIN, KeyPackages.method.publish, { lastResort: published() });
      const withoutScript = (all: string[]) => all.filter((step) => !step.startsWith('script: '));
      const wanted = withoutScript(await stepsOf(ERIN));
      await clientOf().call(KeyPackageLedger.method.revokeClaimed, { owner: fromHex(ERIN), claimer: fromHex(DAVE), ended: 1_001n });
      expect(withoutScript(await stepsOf(ERIN))).toEqual(wanted);
    });

    it('refuses a package without a capability, too large, expired or of no suite, and stores nothing of it', async () => {
      const refused: [Parameters<typeof published>[0], string][] = [
        [{ capability: new Uint8Array(15) }, 'MALFORMED'],
        [{ keyPackage: new Uint8Array(8 * 1024 + 1) }, 'TOO_LARGE'],
        [{ expires: 1n }, 'MALFORMED'],
        [{ cipherSuite: 0 }, 'MALFORMED'],
      ];
      for (const [over, code] of refused) {
        await expect(as(BOB, KeyPackages.method.publish, { oneTime: [published(), published(over)] })).rejects.toThrow(code);
      }
      await expect(as(BOB, KeyPackages.method.publish, { oneTime: some(101) })).rejects.toThrow('LIMIT_REACHED');
      expect((await as(BOB, KeyPackages.method.count, {})).left).toBe(0);
    });

    it('tells the device once that it runs low and what is revoked, before anybody gets an answer, and forgets', async () => {
      const heard: number[] = [];
      const revoked: string[] = [];
      parts.bus.subscribe(gatewayEventSubject(GATEWAY), (payload) => {
        const { event } = fromBinary(GatewayEventSchema, payload);
        if (event?.kind.case === 'keyPackagesLow') heard.push(event.kind.value.left);
        if (event?.kind.case === 'capabilitiesRevoked') revoked.push(...event.kind.value.capabilities.map(toHex));
      });
      const route = {
        device: BOB,
        account: BOB,
        gateway: GATEWAY,
        connection: 1,
        deliveryKey: new Uint8Array(32),
        revokedCapabilities: new Uint8Array(),
        invisible: false,
      };
      await app.get<DeviceRouteStore>(DEVICE_ROUTE_STORE).attach(route);
      await as(BOB, KeyPackages.method.publish, { oneTime: some(27) });
      for (let i = 0; i < 3; i++)
        expect(fromBinary(KeyPackages.method.claim.output, (await claim(ALICE, BOB)).body).keyPackages).toHaveLength(1);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(heard).toEqual([25]);
      const ended = { owner: fromHex(BOB), claimer: fromHex(ALICE), ended: 1_001n };
      const ledger = await clientOf().call(KeyPackageLedger.method.revokeClaimed, ended);
      expect(ledger.capabilities).toHaveLength(3);
      expect(new Set(revoked)).toEqual(new Set(ledger.capabilities.map(toHex)));
      fromBinary(KeyPackages.method.claim.output, (await claim(ALICE, BOB)).body);
      expect(revoked).toHaveLength(4);
      await clientOf().call(KeyPackageLedger.method.forget, { account: fromHex(BOB) });
      expect((await as(BOB, KeyPackages.method.count, {})).left).toBe(0);
    });

    it('hands out nothing that works when the right to claim ends between the question and the answer', async () => {
      const end = { owner: fromHex(BOB), claimer: fromHex(ALICE), ended: 1_001n };
      ContactsParty.meanwhile = () => clientOf().call(KeyPackageLedger.method.revokeClaimed, end);
      const packages = some(1);
      await as(BOB, KeyPackages.method.publish, { oneTime: packages });
      const { keyPackages } = fromBinary(KeyPackages.method.claim.output, (await claim(ALICE, BOB)).body);
      ContactsParty.meanwhile = () => Promise.resolve();
      expect(keyPackages).toHaveLength(1);
      const route = await app.get<DeviceRouteStore>(DEVICE_ROUTE_STORE).find(BOB);
      expect(toHex(route!.revokedCapabilities)).toContain(toHex(packages[0]!.capability));
    });

    it('slows a claimer down on one target alike, whether the target exists or not', async () => {
      const codes = async (owner: string): Promise<(ErrorCode | undefined)[]> => {
        const seen = [];
        for (let i = 0; i < 7; i++) seen.push((await claim(CAROL, owner)).error?.code);
        return seen;
      };
      const expected = [...Array.from({ length: 6 }, () => undefined), ErrorCode.RATE_LIMITED];
      expect(await codes(ALICE)).toEqual(expected);
      expect(await codes('5'.repeat(32))).toEqual(expected);
    });
  });
}

directoryStory('in one process', () => {
  const bus = new InProcessBus();
  return Promise.resolve({ bus, liveState: { kind: 'memory' }, close: () => bus.close() });
});

directoryStory('over NATS and Redis', async () => {
  const [nats, redis] = await Promise.all([startNats(), startRedis()]);
  const bus = await connectNatsBus({ servers: nats.url, name: 'directory' });
  const liveState = await connectLiveState({ url: redis.url });
  const steps = await recordRedis(redis);
  const close = async (): Promise<void> => {
    await bus.close();
    steps.close();
    await closeLiveState(liveState);
    await Promise.all([nats.stop(), redis.stop()]);
  };
  return { bus, liveState, steps, close };
});
