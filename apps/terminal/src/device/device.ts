import { readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ClientError, ServerError, type SottoClient } from '@sotto/client';
import { openClient, SqliteStore, type StoreSecret } from '@sotto/client/node';
import { ErrorCode } from '@sotto/protocol';
import type { JoinCommand } from '../command-line/commands/join.js';
import { defaultStoreFolder, serversFile } from '../command-line/folders.js';
import { makeFolder } from '../command-line/make-folder.js';
import { UsageError } from '../command-line/usage-error.js';
import type { AccountTools } from '../join/account-commands.js';
import type { Asker } from '../join/asker.js';
import type { ChatEvent } from '../join/chat-event.js';
import { encodeJoinLink, hostForUrl } from '../link/join-link.js';
import { destroyHere, revokeOwnDevice } from '../panic/destruction.js';
import { confirm, type Terminal } from '../password/hidden-prompt.js';
import { addressOf, forgetServer, rememberedPins } from '../servers/remembered-servers.js';
import { INTERCEPTION } from './interception.js';

const RESTORE =
  'Nothing in it was changed. Move it away; then sotto import FILE brings back what you exported, as a new device. Without an export join again: another of your devices lets the new one in, or --recovery FILE';

const ONLY_LOGS_IN = 'Your name has its tag, if the server gave one (alice.1234); who has no account yet needs an invite';

/** What opens the store; and the account's password, asked for only when there is to be a log-in. */
export interface Opening {
  readonly store: StoreSecret;
  readonly password: () => Promise<string>;
}

/** One thing to remember, and it never lies on the disk. */
export function byPassword(password: string): Opening {
  return { store: password, password: () => Promise.resolve(password) };
}

/** The store is there, and opens by another password. */
export class WrongPassword extends UsageError {}

export function storeFolderOf(command: JoinCommand): string {
  const name = command.command === 'mailbox' ? `${command.name}-mailbox` : command.name;
  return command.store ?? defaultStoreFolder(process.env, command, name);
}

export function openStore(command: JoinCommand, secret: StoreSecret): Promise<SqliteStore> {
  const wrong = 'this password does not open what is stored here (one changed on another device: the old one does, then /login)';
  return openStoreIn(storeFolderOf(command), secret, wrong);
}

/** @param wrong what to say when the passphrase is not the store's */
export async function openStoreIn(folder: string, secret: StoreSecret, wrong: string): Promise<SqliteStore> {
  await makeFolder(folder, 'choose another with --store');
  const file = storeFileIn(folder);
  try {
    return await SqliteStore.open(file, secret);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const isPassphrase = typeof secret === 'string';
    if (error.reason === 'wrong-passphrase')
      throw new WrongPassword(isPassphrase ? wrong : 'this key file does not open what is stored here');
    if (error.reason === 'wrong-secret-kind')
      throw new UsageError(`${error.message}: ${isPassphrase ? '--key-file FILE' : 'leave out --key-file'}`);
    if (error.reason === 'store-in-use') throw new UsageError('sotto runs with this store already: one device is one process');
    throw damageTold(error, file);
  }
}

/** Nothing is in its store, and a password with a slip of the finger must not be the one that opens it. Keys of an account may be there once one was asked for. */
export function neverCameToBe({ account, unanswered }: Pick<SottoClient, 'account' | 'unanswered'>): boolean {
  return account === undefined && !unanswered;
}

/** Of a device that never came to be: its file, and the folders that were made for it. */
export async function removeStore(command: JoinCommand): Promise<void> {
  const folder = storeFolderOf(command);
  await rm(storeFileIn(folder), { force: true });
  // One that the user named is theirs; one that holds something else stays.
  if (command.store === undefined) for (const each of [folder, dirname(folder)]) await rmdir(each).catch(() => undefined);
}

/** What to do about a store that is damaged. */
export function damageTold(error: unknown, file: string): unknown {
  return error instanceof ClientError && error.reason === 'bad-store' ? new UsageError(`${error.message} (${file}). ${RESTORE}`) : error;
}

export function storeFileIn(folder: string): string {
  return join(folder, 'store.db');
}

/** @param trust asked when the identity of the server is not known here. */
export async function openDevice(command: JoinCommand, store: SqliteStore, trust: (pin: string) => Promise<boolean>): Promise<SottoClient> {
  try {
    return await openClient({
      url: `${command.tls ? 'wss' : 'ws'}://${hostForUrl(command.host)}:${command.port}/`,
      store,
      pin: command.pin,
      onNewPin: (pin) => command.trustNew || isKnown(pin, command, trust),
    });
  } catch (error) {
    throw damageTold(error, storeFileIn(storeFolderOf(command)));
  }
}

/** New to this store is not new to the user, who may have other accounts or devices there. Throws ClientError `pin-changed`. */
async function isKnown(pin: string, command: JoinCommand, trust: (pin: string) => Promise<boolean>): Promise<boolean> {
  const known = await rememberedPins(serversFile(process.env), command);
  if (known.size > 0 && !known.has(pin)) throw new ClientError('pin-changed', INTERCEPTION);
  return known.size > 0 || trust(pin);
}

export async function askToTrust(pin: string, terminal: Terminal): Promise<boolean> {
  terminal.output.write(`This server is new here. Its identity (pin) is\n  ${pin}\n`);
  return confirm(terminal, 'Is that what its operator told you?');
}

/** True when an account was made. */
export async function enter(client: SottoClient, command: JoinCommand, password: Opening['password']): Promise<boolean> {
  const { register, name, host, port, tls } = command;
  if (client.account !== undefined) {
    await client.resume();
    return false;
  }
  try {
    const isNew = register !== undefined && client.restored === undefined;
    if (isNew) await client.register(name, await password(), register.invite);
    else await client.logIn(client.restored?.name ?? name, await password());
    return isNew;
  } catch (error) {
    if (
      client.restored !== undefined &&
      error instanceof ServerError &&
      error.code === ErrorCode.WRONG_PASSWORD &&
      command.keyFile === undefined
    )
      throw new UsageError(
        `the password opens what was imported here, but is not the account's: remove ${storeFolderOf(command)}, and import again with the right one`,
        { cause: error },
      );
    if (register === undefined && error instanceof ServerError && error.code === ErrorCode.WRONG_PASSWORD)
      throw new Error(`${error.message} ${ONLY_LOGS_IN}`, { cause: error });
    if (error instanceof ClientError && error.reason === 'pin-refused') {
      throw new UsageError(`${error.message} (-k PIN, or --trust-new)`);
    }
    if (error instanceof ClientError && error.reason === 'pin-changed') throw new Error(INTERCEPTION, { cause: error });
    if (error instanceof ClientError && error.reason === 'offline')
      throw new Error(`${error.message}: ${host}, port ${port}. sotto doctor ${addressOf(command)}${tls ? ' --tls' : ''} looks closer`, {
        cause: error,
      });
    throw error;
  }
}

/** Read before the log-in, which makes a device. Undefined: none is given, or it is not needed any more. Throws UsageError. */
export async function recoveryFileOf({ account }: SottoClient, { recovery }: JoinCommand): Promise<Uint8Array | undefined> {
  if (recovery === undefined || account?.pending === false) return undefined;
  return readFile(recovery.file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`the recovery file ${recovery.file} cannot be read (${error.code ?? 'unknown'})`);
  });
}

/** A device that waits is confirmed by the recovery file, when there is one. */
export async function recover(client: SottoClient, file: Uint8Array | undefined, passphrase: () => Promise<string>): Promise<void> {
  if (file !== undefined && client.account?.pending === true) await client.confirmByRecoveryFile(file, await passphrase());
}

export function toolsOf(client: SottoClient, store: SqliteStore, command: JoinCommand, ask: Asker): AccountTools {
  const { host, port, deviceName, recovery } = command;
  return {
    ask,
    deviceName: recovery === undefined ? deviceName : undefined,
    linkOf: (invite, name) => encodeJoinLink({ host, port, pin: client.pin ?? '', invite, name }),
    changePassphrase: command.keyFile === undefined ? (passphrase) => store.changeSecret(passphrase) : undefined,
    destroy: async (everywhere) => {
      const revoke = everywhere ? () => revokeOwnDevice(client) : undefined;
      const destruction = await destroyHere({ client, file: storeFileIn(storeFolderOf(command)), revoke });
      // Who was where is nobody's business any more. A list that cannot be read has been told elsewhere.
      await forgetServer(serversFile(process.env), addressOf(command), command.name).catch(() => []);
      return destruction;
    },
  };
}

/** What the user is told first. */
export function welcome({ account, pin = '' }: SottoClient, command: JoinCommand, registered: boolean): ChatEvent[] {
  if (account === undefined) return [];
  const { name, server, pending } = account;
  const events: ChatEvent[] = [{ event: 'ready', name, server, pin, registered, pending }];
  const notice = (text: string) => events.push({ event: 'notice', text });
  if (registered && name !== command.name) {
    notice(`the server made ${name} of ${command.name}: others find you by it; on this machine -i ${command.name} goes on working`);
  }
  if (registered && command.command === 'join')
    notice('/recovery FILE writes a recovery file: with it and a passphrase you get back in when this device is lost');
  if (!pending && command.recovery !== undefined) notice('the device is confirmed: the recovery file is not needed here any more');
  return events;
}
