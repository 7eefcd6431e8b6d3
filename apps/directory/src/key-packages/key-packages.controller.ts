import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { Rpc } from '@sotto/platform/rpc';
import type { RpcCaller } from '@sotto/platform/rpc';
import { KeyPackages } from '@sotto/protocol';
import type {
  ClaimKeyPackagesRequest,
  ClaimKeyPackagesResponseSchema,
  ClearKeyPackagesRequest,
  CountKeyPackagesRequest,
  CountKeyPackagesResponseSchema,
  PublishKeyPackagesRequest,
  PublishKeyPackagesResponseSchema,
} from '@sotto/protocol';
import { KEY_PACKAGE_STORE } from './key-package.store.js';
import type { KeyPackageStore } from './key-package.store.js';
import { KeyPackagesService } from './key-packages.service.js';

@Controller()
export class KeyPackagesController {
  constructor(
    private readonly keyPackages: KeyPackagesService,
    @Inject(KEY_PACKAGE_STORE) private readonly store: KeyPackageStore,
  ) {}

  @Rpc(KeyPackages.method.publish)
  async publish(
    @Payload() request: PublishKeyPackagesRequest,
    @Ctx() caller: RpcCaller,
  ): Promise<MessageInitShape<typeof PublishKeyPackagesResponseSchema>> {
    return { left: await this.keyPackages.publish(caller, request) };
  }

  @Rpc(KeyPackages.method.claim)
  async claim(
    @Payload() request: ClaimKeyPackagesRequest,
    @Ctx() caller: RpcCaller,
  ): Promise<MessageInitShape<typeof ClaimKeyPackagesResponseSchema>> {
    return { keyPackages: await this.keyPackages.claim(caller, request) };
  }

  @Rpc(KeyPackages.method.count)
  count(
    @Payload() _request: CountKeyPackagesRequest,
    @Ctx() caller: RpcCaller,
  ): Promise<MessageInitShape<typeof CountKeyPackagesResponseSchema>> {
    return this.store.count(caller.account, caller.device, Math.floor(Date.now() / 1_000));
  }

  @Rpc(KeyPackages.method.clear)
  async clear(@Payload() _request: ClearKeyPackagesRequest, @Ctx() caller: RpcCaller): Promise<object> {
    await this.store.clear(caller.account, caller.device);
    return {};
  }
}
