import { Inject, Injectable } from '@nestjs/common';
import { create } from '@bufbuild/protobuf';
import { ErrorCode, fromHex, KEY_BYTES, type Session, SessionSchema, TIMES } from '@sotto/protocol';
import { type RpcCaller, RpcError } from '@sotto/platform/rpc';
import { SignJWT } from 'jose';
import type { Account } from '../accounts/accounts.store.js';
import { AUTH_CONFIG, type AuthConfig, SERVER_IDENTITY } from '../auth.config.js';
import { DevicePlaces } from '../device-places/device-places.js';
import type { ServerIdentity } from '../identity/server-identity.js';
import { sealCredential } from './device-credential.js';
import { unixNow } from './unix-now.js';

export interface SessionDevice {
  /** Hex. */
  id: string;
  authKey: Uint8Array;
  /** Not confirmed by the account's identity key. */
  pending: boolean;
  /** It was none of the account's, or pending, before: there may be no place for it. */
  becomesConfirmed?: boolean;
}

/** Makes the sessions that Accounts hands out. Throws RpcError LIMIT_REACHED when the account has no place for the device. */
@Injectable()
export class SessionIssuer {
  constructor(
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
    @Inject(SERVER_IDENTITY) private readonly identity: ServerIdentity,
    private readonly places: DevicePlaces,
  ) {}

  /** With a new credential. */
  async open(account: Account, device: SessionDevice, caller: RpcCaller): Promise<Session> {
    return { ...(await this.resume(account, device, caller)), credential: this.credential(account, device) };
  }

  /** Without one: the device's is good for a while. */
  async resume(account: Account, device: SessionDevice, caller: RpcCaller): Promise<Session> {
    await this.places.hold(account, device, unixNow());
    return { ...this.describe(account, device), accessToken: await this.accessToken(account, device, caller.channelBinding) };
  }

  private describe(account: Account, device: SessionDevice): Session {
    return create(SessionSchema, {
      account: fromHex(account.id),
      device: fromHex(device.id),
      name: account.name,
      identityKey: account.identityKey ?? new Uint8Array(0),
      pending: device.pending,
      server: this.config.serverName,
    });
  }

  private credential(account: Account, device: SessionDevice) {
    return sealCredential(this.identity.credentialKey, {
      account: fromHex(account.id),
      device: fromHex(device.id),
      deviceAuthKey: device.authKey,
      issued: issuedAt(account),
      identityKey: device.pending ? new Uint8Array(0) : (account.identityKey ?? new Uint8Array(0)),
    });
  }

  private accessToken(account: Account, device: SessionDevice, channelBinding: Uint8Array): Promise<string> {
    if (channelBinding.length !== KEY_BYTES) throw new RpcError(ErrorCode.MALFORMED, 'The call did not come over a channel.');
    const issued = issuedAt(account);
    return new SignJWT({ dev: device.id, pen: device.pending, cnf: Buffer.from(channelBinding).toString('base64url') })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer(this.config.serverName)
      .setSubject(account.id)
      .setIssuedAt(issued)
      .setExpirationTime(issued + TIMES.accessTokenSeconds)
      .sign(this.identity.tokenKey.privateKey);
  }
}

/**
 * From when a session counts: the account was read then, and a check of its password may have waited since. Whoever changes the password, revokes or
 * deletes meanwhile ends it. A password change puts sessions-valid-after up to a second ahead; what is issued after it must not lie before it.
 */
function issuedAt({ readAt, sessionsValidAfter }: Account): number {
  return Math.max(readAt, sessionsValidAfter);
}
