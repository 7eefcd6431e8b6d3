import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { Rpc } from '@sotto/platform/rpc';
import { fromHex, toHex } from '@sotto/protocol';
import { KeyPackageLedger } from '@sotto/protocol/internal';
import type { ForgetKeyPackagesRequest, RevokeClaimedRequest, RevokeClaimedResponseSchema } from '@sotto/protocol/internal';
import { DeviceNotices } from './device-notices.js';
import { KEY_PACKAGE_STORE } from './key-package.store.js';
import type { KeyPackageStore } from './key-package.store.js';

/** What contacts and auth may ask. */
@Controller()
export class KeyPackageLedgerController {
  constructor(
    @Inject(KEY_PACKAGE_STORE) private readonly store: KeyPackageStore,
    private readonly notices: DeviceNotices,
  ) {}

  @Rpc(KeyPackageLedger.method.revokeClaimed)
  async revokeClaimed(@Payload() request: RevokeClaimedRequest): Promise<MessageInitShape<typeof RevokeClaimedResponseSchema>> {
    const owner = toHex(request.owner);
    const end = { ended: Number(request.ended), keep: request.keep.map(toHex) };
    const revoked = await this.store.revokeTaken(owner, toHex(request.claimer), end, Math.floor(Date.now() / 1_000));
    await this.notices.revoked(owner, revoked);
    return { capabilities: revoked.map(({ capability }) => fromHex(capability)) };
  }

  @Rpc(KeyPackageLedger.method.forget)
  async forget(@Payload() { account, device }: ForgetKeyPackagesRequest): Promise<object> {
    if (device.length === 0) await this.store.clearAll(toHex(account));
    else await this.store.clear(toHex(account), toHex(device));
    return {};
  }
}
