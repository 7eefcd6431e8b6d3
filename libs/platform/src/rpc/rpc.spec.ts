import 'reflect-metadata';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CanActivate, Controller, type DynamicModule, Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { contractOf, CreateInviteRequestSchema, ErrorCode, Invites } from '@sotto/protocol';
import { Admin, type AdminCreateInviteRequest, AccountLookup, RpcReplySchema, RpcRequestSchema } from '@sotto/protocol/internal';
import { startNats } from '@sotto/testing';
import { type Bus, connectNatsBus, InProcessBus } from '../bus/index.js';
import type { RpcCaller } from './caller.js';
import { BUS_TRANSPORT, BusRpcServer, Rpc, RpcClient, RpcError, subjectOf } from './index.js';

class Never implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

const SECRET_TEXT = 'alice has the password hunter2';
let behaviour: (caller: RpcCaller) => unknown = () => ({});

const inviteContract = contractOf(Invites.method.create);

@Controller()
class InvitesController {
  @Rpc(Invites.method.create)
  async create(@Payload() _request: unknown, @Ctx() caller: RpcCaller) {
    return behaviour(caller) as object;
  }
}

@Controller()
class AdminController {
  @UseGuards(Never)
  @Rpc(Admin.method.createInvite)
  async createInvite(@Payload() _request: AdminCreateInviteRequest) {
    return {};
  }
}

@Controller()
class HalfController {
  @Rpc(AccountLookup.method.byName)
  async half() {
    return {};
  }
}

@Controller()
class UndeclaredController {
  @MessagePattern('sotto.v1.Nothing/Here', BUS_TRANSPORT)
  async nothing() {
    return {};
  }
}

@Module({})
class Root {}

async function serve(bus: Bus, ...controllers: DynamicModule['controllers'] & object) {
  const app = await NestFactory.createMicroservice(
    { module: Root, controllers },
    { strategy: new BusRpcServer(bus), logger: false, abortOnError: false },
  );
  await app.listen();
  return app;
}

const alice: RpcCaller = {
  account: 'aa'.repeat(16),
  device: 'ab'.repeat(16),
  pending: false,
  channelBinding: new Uint8Array(32),
  address: '',
  service: '',
};
const request = (): Uint8Array => toBinary(CreateInviteRequestSchema, create(CreateInviteRequestSchema));

function rpcStory(name: string, open: () => Promise<{ bus: Bus; close: () => Promise<void> }>): void {
  describe(`calls over ${name}`, () => {
    let bus: Bus;
    let close: () => Promise<void>;
    let app: Awaited<ReturnType<typeof serve>>;
    let client: RpcClient;
    beforeAll(async () => {
      ({ bus, close } = await open());
      app = await serve(bus, InvitesController, AdminController);
      client = new RpcClient(bus, { service: 'tester' });
    });
    afterAll(async () => {
      await app.close();
      await close();
    });

    it('hands the verified caller to the controller and its answer back', async () => {
      let seen: RpcCaller | undefined;
      behaviour = (caller) => ((seen = caller), { code: 'sotto:invite' });
      const reply = await client.forward(inviteContract, request(), alice);
      expect(reply.error).toBeUndefined();
      expect(reply.body.length).toBeGreaterThan(0);
      expect(seen).toMatchObject({ account: alice.account, device: alice.device, service: '' });
    });

    it('maps RpcError to its code, text and wait', async () => {
      behaviour = () => {
        throw new RpcError(ErrorCode.RATE_LIMITED, 'Wait.', 1_500);
      };
      expect((await client.forward(inviteContract, request(), alice)).error).toMatchObject({
        code: ErrorCode.RATE_LIMITED,
        text: 'Wait.',
        retryAfterMs: 1_500,
      });
      await expect(client.call(Invites.method.create, {})).rejects.toMatchObject({ name: 'RpcError', code: ErrorCode.RATE_LIMITED });
    });

    it('says nothing of an unknown exception but INTERNAL', async () => {
      behaviour = () => {
        throw new Error(SECRET_TEXT);
      };
      const { error } = await client.forward(inviteContract, request(), alice);
      expect(error?.code).toBe(ErrorCode.INTERNAL);
      expect(error?.text).not.toMatch(/alice|hunter2/);
    });

    it('answers MALFORMED to bytes that are no request', async () => {
      behaviour = () => ({});
      expect((await client.forward(inviteContract, new Uint8Array([0xff, 0xff]), alice)).error?.code).toBe(ErrorCode.MALFORMED);
      const raw = await bus.request(subjectOf(inviteContract), new Uint8Array([0xff]), { timeoutMs: 2_000 });
      expect(fromBinary(RpcReplySchema, raw).error?.code).toBe(ErrorCode.MALFORMED);
    });

    it('runs guards, and tells a refused caller FORBIDDEN', async () => {
      await expect(client.call(Admin.method.createInvite, {})).rejects.toMatchObject({ code: ErrorCode.FORBIDDEN });
    });

    it('refuses an anonymous caller where an account is needed', async () => {
      const payload = toBinary(RpcRequestSchema, create(RpcRequestSchema, { body: request() }));
      const reply = fromBinary(RpcReplySchema, await bus.request(subjectOf(inviteContract), payload, { timeoutMs: 2_000 }));
      expect(reply.error?.code).toBe(ErrorCode.UNAUTHENTICATED);
    });

    it('says UNAVAILABLE when nobody serves the method', async () => {
      await expect(client.call(AccountLookup.method.byName, {})).rejects.toMatchObject({ code: ErrorCode.UNAVAILABLE });
    });
  });
}

rpcStory('the in-process bus', async () => {
  const bus = new InProcessBus();
  return { bus, close: () => bus.close() };
});

rpcStory('NATS', async () => {
  const nats = await startNats();
  const bus = await connectNatsBus({ servers: nats.url, name: 'rpc' });
  return { bus, close: async () => (await bus.close(), await nats.stop()) };
});

describe('BusRpcServer', () => {
  it('does not start when a method of a service that it serves has no handler', async () => {
    await expect(serve(new InProcessBus(), HalfController)).rejects.toThrow(/no handler for/);
  });

  it('does not start with a handler of an undeclared method', async () => {
    await expect(serve(new InProcessBus(), UndeclaredController)).rejects.toThrow(/no declared method/);
  });
});
