import { randomBytes, randomInt } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ErrorCode, ID_BYTES, type InviteBody, NAME_PATTERN, type RegisterRequest, toHex } from '@sotto/protocol';
import { RpcError } from '@sotto/platform/rpc';
import { AUTH_CONFIG, type AuthConfig } from '../auth.config.js';
import { InviteMaker, inviteInvalid } from '../invites/invites.js';
import { unixNow } from '../sessions/session-issuer.js';
import { type Account, ACCOUNTS_STORE, type AccountsStore, type NewAccount } from './accounts.store.js';
import { PasswordHasher } from './password-hasher.js';
import { assertGoodPassword } from './password-policy.js';

const TAG_TRIES = 40;

/** Makes accounts. Only an invite that carries a name gives that name untagged, so registering tells nobody which names exist. */
@Injectable()
export class Registration {
  constructor(
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
    @Inject(ACCOUNTS_STORE) private readonly accounts: AccountsStore,
    private readonly hasher: PasswordHasher,
    private readonly invites: InviteMaker,
  ) {}

  /** Throws RpcError. Keys and signatures of the request are the caller's to check. */
  async register(request: RegisterRequest): Promise<Account> {
    if (!NAME_PATTERN.test(request.name))
      throw new RpcError(ErrorCode.ILLEGAL_NAME, 'A name has 3 to 32 of the characters a-z, 0-9 and _.');
    const invite = this.admit(request.invite);
    assertGoodPassword(request.password);
    if (invite !== undefined && (await this.accounts.isInviteUsed(toHex(invite.id)))) throw inviteInvalid();
    const account = {
      id: randomBytes(ID_BYTES).toString('hex'),
      passwordHash: await this.hasher.hash(request.password),
      identityKey: request.identityKey,
      invite: invite === undefined ? null : toHex(invite.id),
      sessionsValidAfter: unixNow(),
    };
    const name = await this.take(account, request.name, invite?.name === request.name);
    return { ...account, name, revokedDevices: new Map(), disabled: false, deleted: false };
  }

  private admit(code: string): InviteBody | undefined {
    if (this.config.registration === 'closed') throw new RpcError(ErrorCode.REGISTRATION_CLOSED, 'This server takes no new accounts.');
    if (code !== '') return this.invites.open(code);
    if (this.config.registration === 'invite')
      throw new RpcError(ErrorCode.REGISTRATION_CLOSED, 'This server takes new accounts by invite only; ask a member for one.');
    return undefined;
  }

  /** Returns the name that it got: the exact one when that is allowed and free, else with a tag. */
  private async take(account: Omit<NewAccount, 'name' | 'baseName' | 'tag'>, baseName: string, exact: boolean): Promise<string> {
    for (let tries = 0; tries < TAG_TRIES; tries++) {
      const tag = exact && tries === 0 ? null : newTag(tries);
      const name = tag === null ? baseName : `${baseName}.${tag}`;
      const outcome = await this.accounts.create({ ...account, name, baseName, tag });
      if (outcome === 'created') return name;
      if (outcome === 'invite-used') throw inviteInvalid();
    }
    throw new RpcError(ErrorCode.UNAVAILABLE, 'No free name was found; try again or choose another.');
  }
}

/** Four digits, more when many of the base name are taken. */
function newTag(tries: number): string {
  const digits = Math.min(8, 4 + Math.floor(tries / 5));
  return String(randomInt(10 ** digits)).padStart(digits, '0');
}
