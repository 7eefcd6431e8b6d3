import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { fromHex, toHex } from '@sotto/protocol';
import {
  AccountLookup,
  type AccountByNameRequest,
  type AccountRecordSchema,
  type AccountsByIdsRequest,
  type AccountsByIdsResponseSchema,
} from '@sotto/protocol/internal';
import { Rpc, type RpcCaller } from '@sotto/platform/rpc';
import { type Account, ACCOUNTS_STORE, type AccountsStore } from './accounts.store.js';

/** By their names, deleted and disabled accounts are as unknown ones; by id they are told, marked as gone: contacts go on seeing them, away. */
@Controller()
export class AccountLookupController {
  constructor(@Inject(ACCOUNTS_STORE) private readonly accounts: AccountsStore) {}

  @Rpc(AccountLookup.method.byName)
  async byName(@Payload() request: AccountByNameRequest, @Ctx() _caller: RpcCaller): Promise<MessageInitShape<typeof AccountRecordSchema>> {
    const account = await this.accounts.findByName(request.name);
    return account === undefined || isGone(account) ? {} : recordOf(account);
  }

  @Rpc(AccountLookup.method.byIds)
  async byIds(
    @Payload() request: AccountsByIdsRequest,
    @Ctx() _caller: RpcCaller,
  ): Promise<MessageInitShape<typeof AccountsByIdsResponseSchema>> {
    const accounts = await this.accounts.findByIds(request.accounts.map(toHex));
    return { accounts: accounts.map(recordOf) };
  }
}

function isGone(account: Account): boolean {
  return account.deleted || account.disabled;
}

function recordOf(account: Account) {
  return { account: fromHex(account.id), name: account.name, identityKey: account.identityKey ?? new Uint8Array(0), gone: isGone(account) };
}
