import { Controller, Inject, UseGuards } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  Accounts,
  type ConfirmDeviceRequest,
  type DeviceCredentialBody,
  type DeviceSchema,
  ErrorCode,
  fromHex,
  ID_BYTES,
  type ListDevicesRequest,
  type ListDevicesResponseSchema,
  type LogInRequest,
  type ResumeRequest,
  type RevokeDeviceRequest,
  type RevokeDeviceResponseSchema,
  type SessionSchema,
  signedBytes,
  TIMES,
  toHex,
} from '@sotto/protocol';
import { DEVICE_ROUTE_STORE, type DeviceRouteStore } from '@sotto/platform/live-state';
import { Rpc, type RpcCaller, RpcError } from '@sotto/platform/rpc';
import { assertKey, newDeviceId } from '../accounts/accounts.controller.js';
import { type Account, ACCOUNTS_STORE, type AccountsStore } from '../accounts/accounts.store.js';
import { SERVER_IDENTITY } from '../auth.config.js';
import { DevicePlaces } from '../device-places/device-places.js';
import { verifyEd25519 } from '../identity/ed25519.js';
import type { ServerIdentity } from '../identity/server-identity.js';
import { isWorthRenewing, openCredential, provesDevice } from './device-credential.js';
import { LogInGuard, loggedInAccount } from './log-in.strategy.js';
import { SessionEnder } from './session-ender.js';
import { SessionIssuer } from './session-issuer.js';
import { unixNow } from './unix-now.js';
import { isSessionOver } from './session-state.js';

type SessionInit = MessageInitShape<typeof SessionSchema>;

const DAY_MS = 24 * 3_600 * 1_000;
/** Bound on the list that stands on an account. */
const MAX_REVOKED = 256;

@Controller()
export class SessionsController {
  constructor(
    @Inject(ACCOUNTS_STORE) private readonly accounts: AccountsStore,
    @Inject(SERVER_IDENTITY) private readonly identity: ServerIdentity,
    @Inject(DEVICE_ROUTE_STORE) private readonly routes: DeviceRouteStore,
    private readonly sessions: SessionIssuer,
    private readonly ender: SessionEnder,
    private readonly places: DevicePlaces,
  ) {}

  @UseGuards(LogInGuard)
  @Rpc(Accounts.method.logIn)
  async logIn(@Payload() request: LogInRequest, @Ctx() caller: RpcCaller): Promise<SessionInit> {
    assertKey(request.deviceAuthKey);
    const account = request.replaceLongestAway ? await this.withPlace(loggedInAccount(request)) : loggedInAccount(request);
    const session = await this.sessions.open(account, { id: newDeviceId(), authKey: request.deviceAuthKey, pending: true }, caller);
    await this.ender.tellDevices(account.id);
    return session;
  }

  @Rpc(Accounts.method.resume)
  async resume(@Payload() request: ResumeRequest, @Ctx() caller: RpcCaller): Promise<SessionInit> {
    const body = openCredential(this.identity.credentialKey, request.credential, unixNow());
    if (body === undefined || !provesDevice(body, request.proof, caller.channelBinding)) throw credentialInvalid();
    const account = await this.accounts.findById(toHex(body.account));
    const session = { device: toHex(body.device), since: Number(body.issued) };
    if (account === undefined || isSessionOver(account, session)) throw credentialInvalid();
    const device = { id: session.device, authKey: body.deviceAuthKey, pending: isPending(body, account) };
    const renew = isWorthRenewing(body, unixNow());
    return renew ? this.sessions.open(account, device, caller) : this.sessions.resume(account, device, caller);
  }

  /** There is no table of devices: those that live state knows, and those that were revoked. */
  @Rpc(Accounts.method.listDevices)
  async listDevices(
    @Payload() _request: ListDevicesRequest,
    @Ctx() caller: RpcCaller,
  ): Promise<MessageInitShape<typeof ListDevicesResponseSchema>> {
    const account = await this.ownAccount(caller);
    const devices = new Map<string, MessageInitShape<typeof DeviceSchema>>();
    for (const [device, untilMs] of account.revokedDevices) {
      if (untilMs > Date.now()) devices.set(device, { device: fromHex(device), revoked: true });
    }
    const online = await this.connected(caller.account);
    for (const { device, pending, seen } of await this.places.list(account, unixNow())) {
      if (devices.has(device)) continue;
      devices.set(device, { device: fromHex(device), pending, seen: BigInt(seen), online: online.has(device) || device === caller.device });
    }
    return { devices: [...devices.values()] };
  }

  @Rpc(Accounts.method.confirmDevice)
  async confirmDevice(@Payload() request: ConfirmDeviceRequest, @Ctx() caller: RpcCaller): Promise<SessionInit> {
    assertKey(request.deviceAuthKey);
    const account = await this.ownAccount(caller);
    const message = signedBytes('confirmDevice', fromHex(account.id), request.device, request.deviceAuthKey);
    if (account.identityKey === null || !verifyEd25519(account.identityKey, message, request.identitySignature)) {
      throw new RpcError(ErrorCode.FORBIDDEN, 'The signature is not of this account’s identity key.');
    }
    if (toHex(request.device) !== caller.device) throw new RpcError(ErrorCode.FORBIDDEN, 'A device confirms itself.');
    const device = { id: caller.device, authKey: request.deviceAuthKey, pending: false, becomesConfirmed: caller.pending };
    const session = await this.sessions.open(account, device, caller);
    await this.ender.forgetApproval(account.id, caller.device);
    await this.ender.tellDevices(account.id);
    return session;
  }

  @Rpc(Accounts.method.revokeDevice)
  async revokeDevice(
    @Payload() request: RevokeDeviceRequest,
    @Ctx() caller: RpcCaller,
  ): Promise<MessageInitShape<typeof RevokeDeviceResponseSchema>> {
    if (request.device.length !== ID_BYTES) throw new RpcError(ErrorCode.MALFORMED, 'A device id has 16 bytes.');
    await this.revoke(caller.account, toHex(request.device), caller.device);
    await this.ender.tellDevices(caller.account);
    return {};
  }

  private async revoke(account: string, device: string, caller = ''): Promise<void> {
    const nowMs = Date.now();
    const revoked = { device, nowMs, untilMs: nowMs + TIMES.credentialLifetimeDays * DAY_MS, max: MAX_REVOKED };
    if (!(await this.accounts.revokeDevice(account, revoked))) {
      throw new RpcError(ErrorCode.LIMIT_REACHED, 'Too many devices were revoked; change the password, which ends all other sessions.');
    }
    await this.ender.endDevice(account, device, caller);
  }

  /** The account with a place free, if there is a device to revoke for it. Whoever has the password may do so: it could end all sessions too. */
  private async withPlace(account: Account): Promise<Account> {
    const device = await this.places.longestAwayIfFull(account, await this.connected(account.id), unixNow());
    if (device === undefined) return account;
    await this.revoke(account.id, device);
    // What else has changed since the password was checked, a session that is made now may not outlive.
    const { revokedDevices } = (await this.accounts.findById(account.id)) ?? account;
    return { ...account, revokedDevices };
  }

  private async connected(account: string): Promise<Set<string>> {
    return new Set((await this.routes.connectedDevices(account)).map(({ device }) => device));
  }

  private async ownAccount(caller: RpcCaller): Promise<Account> {
    const account = await this.accounts.findById(caller.account);
    if (account === undefined || account.deleted || account.disabled || account.revokedDevices.has(caller.device)) {
      throw new RpcError(ErrorCode.UNAUTHENTICATED, 'This session is over; log in again.');
    }
    return account;
  }
}

/** Confirmed means: by the identity key that the account has now. */
function isPending(body: DeviceCredentialBody, account: Account): boolean {
  return body.pending || account.identityKey === null || !Buffer.from(account.identityKey).equals(body.identityKey);
}

function credentialInvalid(): RpcError {
  return new RpcError(ErrorCode.CREDENTIAL_INVALID, 'The device credential is expired or revoked, or not of this channel; log in again.');
}
