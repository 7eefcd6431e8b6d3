import { Injectable } from '@nestjs/common';
import { RpcClient } from '@sotto/platform/rpc';
import { fromHex, toHex } from '@sotto/protocol';
import { AccountLookup } from '@sotto/protocol/internal';
import type { Person } from '../contacts/contact.store.js';

export interface KnownAccount extends Person {
  /** 32 bytes; empty when the account has none any more. */
  identityKey: Uint8Array;
  /** Deleted or disabled. */
  gone: boolean;
}

/** Ids of one ByIds call: keeps request and reply far below the bus's limit. */
const BATCH = 1_000;

/** Names, ids and identity keys, as auth knows them. Throws RpcError UNAVAILABLE when auth is away. */
@Injectable()
export class AccountBook {
  constructor(private readonly rpc: RpcClient) {}

  async byName(name: string): Promise<KnownAccount | undefined> {
    const record = await this.rpc.call(AccountLookup.method.byName, { name });
    return record.account.length === 0
      ? undefined
      : { account: toHex(record.account), name: record.name, identityKey: record.identityKey, gone: false };
  }

  /** The account, unless it is gone. */
  async standing(account: string): Promise<KnownAccount | undefined> {
    const known = (await this.byIds([account])).get(account);
    return known?.gone === false ? known : undefined;
  }

  /** Accounts that never were are absent; those that are gone are there. */
  async byIds(accounts: readonly string[]): Promise<Map<string, KnownAccount>> {
    const known = new Map<string, KnownAccount>();
    for (let start = 0; start < accounts.length; start += BATCH) {
      const ids = accounts.slice(start, start + BATCH).map(fromHex);
      const reply = await this.rpc.call(AccountLookup.method.byIds, { accounts: ids });
      for (const { account, name, identityKey, gone } of reply.accounts)
        known.set(toHex(account), { account: toHex(account), name, identityKey, gone });
    }
    return known;
  }
}
