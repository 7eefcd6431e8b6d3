import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { type Bus, connectNatsBus, InProcessBus } from '@sotto/platform/bus';
import { type Database, migratePostgres, openDatabase } from '@sotto/platform/database';
import { closeLiveState, connectLiveState, type LiveState } from '@sotto/platform/live-state';
import { Rpc } from '@sotto/platform/rpc';
import { fromHex, toHex } from '@sotto/protocol';
import {
  AccountLookup,
  type AccountByNameRequest,
  type AccountsByIdsRequest,
  KeyPackageLedger,
  type RevokeClaimedRequest,
} from '@sotto/protocol/internal';
import { recordPostgres, recordRedis, startNats, startPostgres, startRedis, type StepRecorder, temporaryFolder } from '@sotto/testing';

export const NAMES = ['alice', 'bob', 'carol', 'dave'] as const;
export type Name = (typeof NAMES)[number];
export const idOf = (name: Name): string => `${NAMES.indexOf(name) + 1}`.repeat(32);
export const keyOf = (name: Name): Uint8Array => new Uint8Array(32).fill(NAMES.indexOf(name) + 1);
export const CAPABILITY = new Uint8Array(16).fill(9);
export const GATEWAY = 77;
/** Accounts that are deleted. */
export const gone = new Set<string>();

@Controller()
export class AccountsParty {
  @Rpc(AccountLookup.method.byName)
  async byName(@Payload() { name }: AccountByNameRequest) {
    return NAMES.includes(name as Name) && !gone.has(name) ? recordOf(name as Name) : {};
  }

  @Rpc(AccountLookup.method.byIds)
  async byIds(@Payload() { accounts }: AccountsByIdsRequest) {
    return { accounts: NAMES.filter((name) => accounts.some((id) => toHex(id) === idOf(name))).map(recordOf) };
  }
}

@Controller()
export class LedgerParty {
  static readonly asked: RevokeClaimedRequest[] = [];

  @Rpc(KeyPackageLedger.method.revokeClaimed)
  async revokeClaimed(@Payload() request: RevokeClaimedRequest) {
    const { claimer } = request;
    LedgerParty.asked.push(request);
    return { capabilities: toHex(claimer) === idOf('alice') ? [CAPABILITY] : [] };
  }

  @Rpc(KeyPackageLedger.method.forget)
  async forget() {
    return {};
  }
}

function recordOf(name: Name) {
  return { account: fromHex(idOf(name)), name, identityKey: keyOf(name), gone: gone.has(name) };
}

@Module({})
export class Root {}

export interface Parts {
  bus: Bus;
  liveState: LiveState;
  database: Database;
  /** What is done to the servers, where there are some. */
  steps: StepRecorder[];
  close(): Promise<void>;
}

export async function inOneProcess(): Promise<Parts> {
  const bus = new InProcessBus();
  const database = await openDatabase({ kind: 'pglite', folder: await temporaryFolder('contacts') });
  return { bus, liveState: { kind: 'memory' }, database, steps: [], close: async () => (await database.close(), await bus.close()) };
}

export async function onServers(): Promise<Parts> {
  const [nats, redis, postgres] = await Promise.all([startNats(), startRedis(), startPostgres({ logStatements: true })]);
  const bus = await connectNatsBus({ servers: nats.url, name: 'contacts' });
  const liveState = await connectLiveState({ url: redis.url });
  await migratePostgres(postgres.url);
  const database = await openDatabase({ kind: 'postgres', url: postgres.url });
  const steps = [await recordRedis(redis), await recordPostgres(postgres)];
  const close = async (): Promise<void> => {
    for (const recorder of steps) recorder.close();
    await bus.close();
    await closeLiveState(liveState);
    await database.close();
    await Promise.all([nats.stop(), redis.stop(), postgres.stop()]);
  };
  return { bus, liveState, database, steps, close };
}
