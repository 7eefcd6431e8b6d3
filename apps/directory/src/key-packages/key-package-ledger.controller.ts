import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { Rpc } from '@sotto/platform/rpc';
import { fromHex, toHex } from '@sotto/protocol';
import { KeyPackageLedger } from '@sotto/protocol/internal';
import type { ClaimedByRequest, ClaimedByResponseSchema, ForgetKeyPackagesRequest } from '@sotto/protocol/internal';
import { KEY_PACKAGE_STORE } from './key-package.store.js';
import type { KeyPackageStore } from './key-package.store.js';

/** What contacts and auth may ask. */
@Controller()
export class KeyPackageLedgerController {
  constructor(@Inject(KEY_PACKAGE_STORE) private readonly store: KeyPackageStore) {}

  @Rpc(KeyPackageLedger.method.claimedBy)
  async claimedBy(@Payload() { owner, claimer }: ClaimedByRequest): Promise<MessageInitShape<typeof ClaimedByResponseSchema>> {
    const taken = await this.store.takenBy(toHex(owner), toHex(claimer), Math.floor(Date.now() / 1_000));
    return { capabilities: taken.map(fromHex) };
  }

  @Rpc(KeyPackageLedger.method.forget)
  async forget(@Payload() { account, device }: ForgetKeyPackagesRequest): Promise<object> {
    if (device.length === 0) await this.store.clearAll(toHex(account));
    else await this.store.clear(toHex(account), toHex(device));
    return {};
  }
}
