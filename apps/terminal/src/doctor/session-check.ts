import { existsSync } from 'node:fs';
import { type ConnectionState, type SottoClient } from '@sotto/client';
import { openClient, type SqliteStore } from '@sotto/client/node';
import { openStoreIn, storeFileIn } from '../device/device.js';
import { broken, type Finding, good, look, skipped } from './finding.js';
import { type InspectedServer, urlOf } from './server-check.js';

const WRONG = 'the password does not open what is stored here';

/** Connects once, as the device that is stored here. Undefined password: not looked at. */
export async function checkSession(server: InspectedServer, folder: string, password: string | undefined): Promise<Finding[]> {
  if (!existsSync(storeFileIn(folder))) return [];
  if (password === undefined) return [skipped('session', 'the session was not tried: that takes --password-file')];
  let store: SqliteStore;
  try {
    store = await openStoreIn(folder, password, WRONG);
  } catch (error) {
    return [broken('session', error instanceof Error ? error.message : 'the store does not open')];
  }
  const client = await openClient({ url: urlOf(server), store, pin: server.pin, onNewPin: () => false });
  try {
    return [await sessionOf(client)];
  } finally {
    await client.close();
  }
}

async function sessionOf(client: SottoClient): Promise<Finding> {
  if (client.account === undefined) return look('session', 'no account is in this store yet', 'sotto join logs in');
  let state: ConnectionState | undefined;
  client.on('state', (now) => (state = now));
  await client.resume();
  const { name, pending } = client.account;
  if (state?.state === 'refused')
    return broken('session', `the session of ${name} is refused: ${state.cause}`, 'sotto join and /login make a new one');
  if (state?.state !== 'online')
    return broken('session', `${name} could not connect${state?.state === 'offline' ? `: ${state.cause}` : ''}`);
  if (pending)
    return look('session', `the device of ${name} waits to be let in`, '/approve on another device, or sotto join --recovery FILE');
  return good('session', `the session of ${name} stands`);
}
