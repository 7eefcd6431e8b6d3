import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { SottoClient } from '@sotto/client';
import { destroyStoreKey, isStoreInUse, removeStore } from '@sotto/client/node';
import type { Asker } from '../join/asker.js';

/** A server that does not answer holds nothing up. */
const REVOKE_MS = 5_000;
const CLOSE_MS = 2_000;

export const NO_PROMISE =
  'What cannot be promised: a flash disk may keep overwritten blocks for a while, and backups, snapshots and exports are what they were. ' +
  'Others keep what you wrote to them.';

export interface Destruction {
  /** Undefined: nobody asked for it. */
  readonly revoked?: boolean;
  /** What is in the folder that is not the store's. */
  readonly left: readonly string[];
  readonly folder: string;
  /** Another process has the store open. */
  readonly inUse: boolean;
}

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

export function destroyedText({ revoked, left, folder, inUse }: Destruction): string {
  const server =
    revoked === undefined
      ? ''
      : revoked
        ? ' The server takes this device no more.'
        : ' The server did not answer: revoke this device from another of yours.';
  const other = inUse ? ' Another sotto runs with this store: it has the keys in its memory until you end it.' : '';
  const rest = left.length === 0 ? '' : ` Left in ${folder}, which is not Sotto's: ${left.join(', ')}.`;
  return `Destroyed: keys and messages of this device.${server}${other}${rest} ${NO_PROMISE}`;
}
