import { Inject, Injectable } from '@nestjs/common';
import { ErrorCode } from '@sotto/protocol';
import { type RpcCaller, RpcError } from '@sotto/platform/rpc';
import { NameLimits } from '../limits/name-limits.store.js';
import { type Account, ACCOUNTS_STORE, type AccountsStore } from './accounts.store.js';
import { PasswordHasher } from './password-hasher.js';
import { passwordFits } from './password-policy.js';

export function wrongPassword(): RpcError {
  return new RpcError(ErrorCode.WRONG_PASSWORD, 'Name or password is wrong.');
}

/** Checks passwords so that nothing tells an unknown, deleted or disabled account from a wrong password: same charge, same work, same error. */
@Injectable()
export class PasswordCheck {
  constructor(
    @Inject(ACCOUNTS_STORE) private readonly accounts: AccountsStore,
    private readonly hasher: PasswordHasher,
    private readonly limits: NameLimits,
  ) {}

  /** Throws RpcError WRONG_PASSWORD, RATE_LIMITED or UNAVAILABLE. */
  async byName(name: string, password: string, address: string): Promise<Account> {
    if (!passwordFits(password) || name.length > 64) throw wrongPassword();
    await this.limits.charge(name, address);
    const account = await this.matching(await this.accounts.findByName(name), password, address);
    await this.limits.forgive(name, address);
    // Behind the answer, which takes no longer for it.
    void this.renew(account, password, address).catch(() => undefined);
    return account;
  }

  /** The caller's own account. Throws as byName. */
  async ofCaller(caller: RpcCaller, password: string): Promise<Account> {
    if (!passwordFits(password)) throw wrongPassword();
    await this.limits.charge(caller.account, caller.address);
    const { passwordHash } = await this.matching(await this.accounts.findById(caller.account), password, caller.address);
    // The check may have waited while the password was changed.
    const account = await this.accounts.findById(caller.account);
    if (account === undefined || account.passwordHash !== passwordHash) throw wrongPassword();
    return account;
  }

  /** For a new password of the caller's. Throws RpcError UNAVAILABLE. */
  hash(password: string, { address }: RpcCaller): Promise<string> {
    return this.hasher.hash(password, address);
  }

  /** The operator has changed the cost of hashing: the next log-in costs what that of an unknown name does. What fails is done then. */
  private async renew({ id, passwordHash }: Account, password: string, address: string): Promise<void> {
    if (passwordHash === null || !this.hasher.isOutdated(passwordHash)) return;
    await this.accounts.renewPasswordHash(id, { expected: passwordHash, passwordHash: await this.hasher.hash(password, address) });
  }

  private async matching(account: Account | undefined, password: string, address: string): Promise<Account> {
    const right = await this.hasher.matches(account?.passwordHash, password, address);
    if (!right || account === undefined || account.deleted || account.disabled) throw wrongPassword();
    return account;
  }
}
