import type { MessageInitShape } from '@bufbuild/protobuf';
import { Inject, Injectable } from '@nestjs/common';
import { RpcClient, RpcError } from '@sotto/platform/rpc';
import type { RpcCaller } from '@sotto/platform/rpc';
import { ErrorCode, fromHex, ID_BYTES, LIMITS, toHex } from '@sotto/protocol';
import type { ClaimedKeyPackageSchema, ClaimKeyPackagesRequest, PublishedKeyPackage, PublishKeyPackagesRequest } from '@sotto/protocol';
import { ContactLookup } from '@sotto/protocol/internal';
import { ClaimBudgetStore } from './claim-budget.store.js';
import { DeviceNotices } from './device-notices.js';
import { KEY_PACKAGE_STORE } from './key-package.store.js';
import type { BeyondBound, KeyPackageStore, StockedKeyPackage } from './key-package.store.js';

/** Has no stock: a claim that is not allowed takes from it, so that it costs the same steps. */
const NOBODY = '0'.repeat(32);
/** Longest lifetime of a key package. Seconds. */
const MAX_LIFETIME = 366 * 24 * 3_600;
const MAX_SUITE = 0xffff;
const FULL_RETRY_MS = 60_000;
const BEYOND: Readonly<Record<BeyondBound, () => RpcError>> = {
  count: () => new RpcError(ErrorCode.LIMIT_REACHED, `A device has at most ${LIMITS.oneTimeKeyPackages} one-time key packages.`),
  bytes: () =>
    new RpcError(
      ErrorCode.LIMIT_REACHED,
      `The key packages of a device have at most ${LIMITS.stockedKeyPackageBytes} bytes together: publish fewer, or smaller ones.`,
    ),
  full: () => new RpcError(ErrorCode.UNAVAILABLE, 'The server has no room for key packages now. Try again later.', FULL_RETRY_MS),
};

@Injectable()
export class KeyPackagesService {
  constructor(
    @Inject(KEY_PACKAGE_STORE) private readonly store: KeyPackageStore,
    private readonly budget: ClaimBudgetStore,
    private readonly rpc: RpcClient,
    private readonly notices: DeviceNotices,
  ) {}

  /** Returns the one-time packages in stock. Throws MALFORMED, TOO_LARGE, LIMIT_REACHED, UNAVAILABLE; then nothing is stored. */
  async publish(caller: RpcCaller, request: PublishKeyPackagesRequest): Promise<number> {
    const now = seconds();
    const oneTime = request.oneTime.map((one) => checked(one, now));
    const lastResort = request.lastResort === undefined ? undefined : checked(request.lastResort, now);
    const left =
      oneTime.length > LIMITS.oneTimeKeyPackages
        ? 'count'
        : await this.store.publish(caller.account, caller.device, oneTime, lastResort, now);
    if (typeof left === 'string') throw BEYOND[left]();
    return left;
  }

  /** Not a contact, unknown, none left: the same empty list by the same steps. */
  async claim(caller: RpcCaller, request: ClaimKeyPackagesRequest): Promise<MessageInitShape<typeof ClaimedKeyPackageSchema>[]> {
    const owner = idOf(request.account);
    const wait = await this.budget.charge(caller.account, owner);
    if (wait > 0) throw new RpcError(ErrorCode.RATE_LIMITED, 'Too many claims: try again later.', wait);
    const right = await this.rpc.call(ContactLookup.method.mayClaim, { claimer: fromHex(caller.account), owner: request.account });
    const { cipherSuite } = request;
    const claim = { claimer: caller.account, cipherSuite, except: caller.device, revoke: right.revoke, since: Number(right.since) };
    const taken = await this.store.take(right.allowed ? owner : NOBODY, claim, seconds());
    await this.notices.handedOut(owner, taken);
    return taken.map(({ device, keyPackage, lastResort }) => ({ device: fromHex(device), keyPackage, lastResort }));
  }
}

function checked(one: PublishedKeyPackage, now: number): StockedKeyPackage {
  if (one.keyPackage.length > LIMITS.keyPackageBytes)
    throw new RpcError(ErrorCode.TOO_LARGE, `A key package has at most ${LIMITS.keyPackageBytes} bytes.`);
  const lives = one.expires > BigInt(now) && one.expires <= BigInt(now + MAX_LIFETIME);
  const legal = one.keyPackage.length > 0 && one.cipherSuite > 0 && one.cipherSuite <= MAX_SUITE && one.capability.length === ID_BYTES;
  if (!legal || !lives)
    throw new RpcError(
      ErrorCode.MALFORMED,
      'A key package needs its bytes, a cipher suite, a capability id of 16 bytes and an expiry within a year.',
    );
  return { keyPackage: one.keyPackage, cipherSuite: one.cipherSuite, expires: Number(one.expires), capability: toHex(one.capability) };
}

function idOf(bytes: Uint8Array): string {
  if (bytes.length !== ID_BYTES) throw new RpcError(ErrorCode.MALFORMED, 'An account id has 16 bytes.');
  return toHex(bytes);
}

function seconds(): number {
  return Math.floor(Date.now() / 1_000);
}
