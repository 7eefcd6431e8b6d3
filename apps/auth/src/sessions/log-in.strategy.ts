import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import type { LogInRequest } from '@sotto/protocol';
import type { RpcCaller } from '@sotto/platform/rpc';
import { Strategy } from 'passport-local';
import type { Account } from '../accounts/accounts.store.js';
import { PasswordCheck, wrongPassword } from '../accounts/password-check.js';

/** What Passport sees of a call. Its strategies are the process's, of which there may be several instances of this service: each brings its own accounts. */
interface LogInAttempt {
  body: { name: string; password: string };
  address: string;
  passwords: PasswordCheck;
}

const accounts = new WeakMap<LogInRequest, Account>();

/** The account that the guard let this request in as. */
export function loggedInAccount(request: LogInRequest): Account {
  const account = accounts.get(request);
  if (account === undefined) throw wrongPassword();
  return account;
}

@Injectable()
export class LogInStrategy extends PassportStrategy(Strategy, 'local') {
  constructor() {
    super({ usernameField: 'name', passwordField: 'password', session: false, passReqToCallback: true });
  }

  validate({ passwords, address }: LogInAttempt, name: string, password: string): Promise<Account> {
    return passwords.byName(name, password, address);
  }
}

@Injectable()
export class LogInGuard extends AuthGuard('local') {
  constructor(private readonly passwords: PasswordCheck) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    return Boolean(await super.canActivate(context));
  }

  override getRequest(context: ExecutionContext): LogInAttempt {
    const { name, password } = context.switchToRpc().getData<LogInRequest>();
    const { address } = context.switchToRpc().getContext<RpcCaller>();
    return { body: { name, password }, address, passwords: this.passwords };
  }

  override handleRequest<T>(error: unknown, account: T | false | null, _info: unknown, context: ExecutionContext): T {
    if (error !== null && error !== undefined) throw error instanceof Error ? error : new Error('the strategy failed');
    if (!account) throw wrongPassword();
    accounts.set(context.switchToRpc().getData<LogInRequest>(), account as Account & T);
    return account;
  }
}
