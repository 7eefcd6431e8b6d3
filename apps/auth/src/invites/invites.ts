import { Inject, Injectable } from '@nestjs/common';
import { ErrorCode, type InviteBody } from '@sotto/protocol';
import { RpcError } from '@sotto/platform/rpc';
import { AUTH_CONFIG, type AuthConfig, isInviteName, SERVER_IDENTITY } from '../auth.config.js';
import type { ServerIdentity } from '../identity/server-identity.js';
import { unixNow } from '../sessions/unix-now.js';
import { type NewInvite, openInvite, sealInvite } from './invite-code.js';

const MAX_LIFETIME_SECONDS = 365 * 24 * 3_600;

@Injectable()
export class InviteMaker {
  constructor(
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
    @Inject(SERVER_IDENTITY) private readonly identity: ServerIdentity,
  ) {}

  /** @param lifetimeSeconds 0: the server's default. Throws RpcError ILLEGAL_NAME. */
  make(name: string, lifetimeSeconds: number): NewInvite {
    if (!isInviteName(name)) throw new RpcError(ErrorCode.ILLEGAL_NAME, 'A name has 3 to 32 of the characters a-z, 0-9 and _.');
    const lifetime = Math.min(lifetimeSeconds || this.config.inviteLifetimeSeconds, MAX_LIFETIME_SECONDS);
    return sealInvite(this.identity.inviteKey, { name, now: unixNow(), lifetimeSeconds: lifetime });
  }

  /** Throws RpcError INVITE_INVALID. */
  open(code: string): InviteBody {
    const invite = openInvite(this.identity.inviteKey, code, unixNow());
    if (invite === undefined) throw inviteInvalid();
    return invite;
  }
}

export function inviteInvalid(): RpcError {
  return new RpcError(ErrorCode.INVITE_INVALID, 'The invite is expired, used, or not of this server; ask for a new one.');
}
