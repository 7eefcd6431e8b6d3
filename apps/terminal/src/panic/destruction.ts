import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { SottoClient } from '@sotto/client';
import { destroyStoreKey, isStoreInUse, removeStore } from '@sotto/client/node';
import type { Asker } from '../join/asker.js';
import type { Destruction } from './destroyed-text.js';

/** A server that does not answer holds nothing up. */
const REVOKE_MS = 5_000;
const CLOSE_MS = 2_000;

/** Asked once, by the name. @param given in a program's command */
export async function isConfirmed(name: string, given: string | undefined, ask: Asker): Promise<boolean> {
  return (given ?? (await ask.typed(`All keys and messages of ${name} on this device go for good. Type ${name} to go on: `))) === name;
}

interface Doomed {
  readonly client?: { close(): Promise<void> };
  readonly file: string;
  /** Ends the device's session at the server; absent: it is not wanted there. */
  readonly revoke?: (() => Promise<void>) | undefined;
}

/** The session at the server first, if that is wanted and it answers; then the store's key; then its files. */
export async function destroyHere({ client, file, revoke }: Doomed): Promise<Destruction> {
  const revoked = revoke === undefined ? undefined : await within(REVOKE_MS, revoke());
  destroyStoreKey(file);
  // What it still writes goes into files that nothing opens.
  await within(CLOSE_MS, client?.close());
  // Not before: SQLite would tidy up a log first, and leave the blocks with the key in it. Whoever has a client has the store alone.
  const inUse = client === undefined && isStoreInUse(file);
  return { ...(revoked !== undefined && { revoked }), inUse, left: removeStore(file), folder: dirname(file) };
}

export async function revokeOwnDevice(client: SottoClient | undefined): Promise<void> {
  if (client?.account === undefined) throw new Error('there is no device at the server');
  await client.revokeDevice(client.account.device);
}

/** Whether it has happened by then. */
export async function within(ms: number, work: Promise<unknown> | undefined): Promise<boolean> {
  const timer = new AbortController();
  const done =
    work === undefined
      ? Promise.resolve(false)
      : work.then(
          () => true,
          () => false,
        );
  const late = pause(ms, false, { signal: timer.signal }).catch(() => false);
  return Promise.race([done, late]).finally(() => timer.abort());
}
