import { createHash, randomBytes } from 'node:crypto';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  Accounts,
  type ChangePasswordRequest,
  type DeleteAccountRequest,
  type DeleteAccountResponseSchema,
  ErrorCode,
  fromHex,
  ID_BYTES,
  KEY_BYTES,
  type RegisterRequest,
  type ResetIdentityRequest,
  type SessionSchema,
  signedBytes,
} from '@sotto/protocol';
import { ContactLookup } from '@sotto/protocol/internal';
import { Rpc, RpcClient, type RpcCaller, RpcError } from '@sotto/platform/rpc';
import { inviteInvalid } from '../invites/invites.js';
import { verifyEd25519 } from '../identity/ed25519.js';
import { SessionEnder } from '../sessions/session-ender.js';
import { SessionIssuer } from '../sessions/session-issuer.js';
import { unixNow } from '../sessions/unix-now.js';
import { ACCOUNTS_STORE, type AccountsStore } from './accounts.store.js';
import { PasswordCheck, wrongPassword } from './password-check.js';
import { assertGoodPassword } from './password-policy.js';
import { Registration } from './registration.js';

type SessionInit = MessageInitShape<typeof SessionSchema>;

@Controller()
export class AccountsController {
  constructor(
    @Inject(ACCOUNTS_STORE) private readonly accounts: AccountsStore,
    private readonly registration: Registration,
    private readonly passwords: PasswordCheck,
    private readonly sessions: SessionIssuer,
    private readonly ender: SessionEnder,
    private readonly rpc: RpcClient,
  ) {}

  @Rpc(Accounts.method.register)
  async register(@Payload() request: RegisterRequest, @Ctx() caller: RpcCaller): Promise<SessionInit> {
    assertIdentityProof(request, caller);
    const account = await this.registration.register(request, caller.address);
    const id = firstDeviceId(account.id, request.deviceAuthKey);
    if (account.revokedDevices.has(id)) throw inviteInvalid();
    await this.ender.tellDevices(account.id);
    return this.sessions.open(account, { id, authKey: request.deviceAuthKey, pending: false, becomesConfirmed: true }, caller);
  }

  @Rpc(Accounts.method.resetIdentity)
  async resetIdentity(@Payload() request: ResetIdentityRequest, @Ctx() caller: RpcCaller): Promise<SessionInit> {
    assertIdentityProof(request, caller);
    const account = await this.passwords.ofCaller(caller, request.password);
    await this.accounts.setIdentityKey(account.id, request.identityKey);
    // Other devices come back with credentials that name the old key, and are pending.
    await this.ender.endAll(account.id, caller.device);
    await this.ender.forgetKeyPackages(account.id, '');
    // Behind the answer, without which the device would not have its new standing: contacts that don't hear of it see the key in their lists.
    void this.ender.tellContacts(account.id);
    const confirmed = { id: caller.device, authKey: request.deviceAuthKey, pending: false };
    return this.sessions.open({ ...account, identityKey: request.identityKey }, confirmed, caller);
  }

  @Rpc(Accounts.method.changePassword)
  async changePassword(@Payload() request: ChangePasswordRequest, @Ctx() caller: RpcCaller): Promise<SessionInit> {
    assertKey(request.deviceAuthKey);
    assertGoodPassword(request.newPassword);
    const account = await this.passwords.ofCaller(caller, request.oldPassword);
    const passwordHash = await this.passwords.hash(request.newPassword, caller);
    // The next second: nothing that was issued within this one survives.
    const sessionsValidAfter = unixNow() + 1;
    const change = { expected: account.passwordHash ?? '', passwordHash, sessionsValidAfter };
    if (!(await this.accounts.changePassword(account.id, change))) throw wrongPassword();
    await this.ender.endAll(account.id, caller.device);
    const device = { id: caller.device, authKey: request.deviceAuthKey, pending: caller.pending };
    return this.sessions.open({ ...account, sessionsValidAfter }, device, caller);
  }

  @Rpc(Accounts.method.deleteAccount)
  async deleteAccount(
    @Payload() request: DeleteAccountRequest,
    @Ctx() caller: RpcCaller,
  ): Promise<MessageInitShape<typeof DeleteAccountResponseSchema>> {
    const account = await this.passwords.ofCaller(caller, request.password);
    // Contacts first: while they are away the account stays, and the user can try again; afterwards nobody could.
    await this.rpc.call(ContactLookup.method.accountChanged, { account: fromHex(account.id), deleted: true });
    await this.accounts.delete(account.id);
    // Its key packages stay until they expire: contacts that claim get what they would of one who is away, revoked as it is handed out.
    await this.ender.endAll(account.id, caller.device);
    this.ender.endCaller(account.id, caller.device);
    await this.ender.forgetRoutes(account.id);
    await this.ender.forgetPlaces(account.id);
    return {};
  }
}

export function newDeviceId(): string {
  return randomBytes(ID_BYTES).toString('hex');
}

/** The same for a registration that is repeated: its device must not stand in the list twice. */
function firstDeviceId(account: string, deviceAuthKey: Uint8Array): string {
  return createHash('sha256').update(account).update(deviceAuthKey).digest().subarray(0, ID_BYTES).toString('hex');
}

export function assertKey(key: Uint8Array): void {
  if (key.length !== KEY_BYTES) throw new RpcError(ErrorCode.MALFORMED, 'A public key has 32 bytes.');
}

/** The identity key confirms the device's auth key, on this channel. */
function assertIdentityProof(request: RegisterRequest | ResetIdentityRequest, caller: RpcCaller): void {
  assertKey(request.identityKey);
  assertKey(request.deviceAuthKey);
  const message = signedBytes('register', request.deviceAuthKey, caller.channelBinding);
  if (!verifyEd25519(request.identityKey, message, request.identitySignature)) {
    throw new RpcError(ErrorCode.MALFORMED, 'The signature of the identity key is wrong.');
  }
}
