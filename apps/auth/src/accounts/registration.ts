import { randomBytes, randomInt } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ErrorCode, ID_BYTES, type InviteBody, NAME_PATTERN, type RegisterRequest, toHex } from '@sotto/protocol';
import { RpcError } from '@sotto/platform/rpc';
import { AUTH_CONFIG, type AuthConfig } from '../auth.config.js';
import { InviteMaker, inviteInvalid } from '../invites/invites.js';
import { unixNow } from '../sessions/unix-now.js';
import { type Account, ACCOUNTS_STORE, type AccountsStore, type NewAccount } from './accounts.store.js';
import { PasswordCheck } from './password-check.js';
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
    private readonly passwords: PasswordCheck,
  ) {}

  /**
   * Whoever repeats a registration, as its answer was lost, gets the account that it made. Throws RpcError. Keys and signatures of the request are
   * the caller's to check.
   */
  async register(request: RegisterRequest, address: string): Promise<Account> {
    if (!NAME_PATTERN.test(request.name))
      throw new RpcError(ErrorCode.ILLEGAL_NAME, 'A name has 3 to 32 of the characters a-z, 0-9 and _.');
    const invite = this.admit(request.invite);
    assertGoodPassword(request.password);
    const made = () => this.madeBefore(invite, request, address);
    const account = (await made()) ?? (await this.make(invite, request, address)) ?? (await made());
    if (account === undefined) throw inviteInvalid();
    return account;
  }

  /**
   * The account that the invite was used for, to one who has its identity key and its password, as for a log-in and the confirmation of the device.
   * To all others a used invite is no invite, before any work.
   */
  private async madeBefore(invite: InviteBody | undefined, request: RegisterRequest, address: string): Promise<Account | undefined> {
    const account = invite && (await this.accounts.findByInvite(toHex(invite.id)));
    if (account === undefined) return undefined;
    if (account.deleted || !Buffer.from(account.identityKey ?? []).equals(request.identityKey)) throw inviteInvalid();
    return this.passwords.byName(account.name, request.password, address);
  }

  /** Undefined: the invite was used meanwhile. */
  private async make(invite: InviteBody | undefined, request: RegisterRequest, address: string): Promise<Account | undefined> {
    const readAt = unixNow();
    const account = {
      id: randomBytes(ID_BYTES).toString('hex'),
      passwordHash: await this.hasher.hash(request.password, address),
      identityKey: request.identityKey,
      invite: invite === undefined ? null : toHex(invite.id),
      sessionsValidAfter: readAt,
    };
    const name = await this.take(account, request.name, invite?.name === request.name);
    return name === undefined ? undefined : { ...account, name, revokedDevices: new Map(), disabled: false, deleted: false, readAt };
  }

  private admit(code: string): InviteBody | undefined {
    if (this.config.registration === 'closed') throw new RpcError(ErrorCode.REGISTRATION_CLOSED, 'This server takes no new accounts.');
    if (code !== '') return this.invites.open(code);
    if (this.config.registration === 'invite')
      throw new RpcError(ErrorCode.REGISTRATION_CLOSED, 'This server takes new accounts by invite only; ask a member for one.');
    return undefined;
  }

  /** Returns the name that it got: the exact one when that is allowed and free, else with a tag. Undefined: the invite was used meanwhile. */
  private async take(
    account: Omit<NewAccount, 'name' | 'baseName' | 'tag'>,
    baseName: string,
    exact: boolean,
  ): Promise<string | undefined> {
    for (let tries = 0; tries < TAG_TRIES; tries++) {
      const tag = exact && tries === 0 ? null : newTag(tries);
      const name = tag === null ? baseName : `${baseName}.${tag}`;
      const outcome = await this.accounts.create({ ...account, name, baseName, tag });
      if (outcome === 'created') return name;
      if (outcome === 'invite-used') return undefined;
    }
    throw new RpcError(ErrorCode.UNAVAILABLE, 'No free name was found; try again or choose another.');
  }
}

/** Four digits, more when many of the base name are taken. */
function newTag(tries: number): string {
  const digits = Math.min(8, 4 + Math.floor(tries / 5));
  return String(randomInt(10 ** digits)).padStart(digits, '0');
}
