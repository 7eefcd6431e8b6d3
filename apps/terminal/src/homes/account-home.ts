import { existsSync } from 'node:fs';
import type { SottoClient } from '@sotto/client';
import type { SqliteStore } from '@sotto/client/node';
import type { JoinCommand } from '../command-line/commands/join.js';
import { CHAT_HELP } from '../command-line/chat-help.js';
import {
  enter,
  neverCameToBe,
  openDevice,
  type Opening,
  openStore,
  recover,
  recoveryFileOf,
  removeStore,
  storeFileIn,
  storeFolderOf,
  toolsOf,
  welcome,
} from '../device/device.js';
import { AccountCommands } from '../join/account-commands.js';
import { Chat } from '../join/chat.js';
import { GroupCommands } from '../join/group-commands.js';
import { GroupNames } from '../join/group-names.js';
import { Deliveries } from '../join/deliveries.js';
import { MessageCommands } from '../join/message-commands.js';
import { ServerSurroundings } from '../join/server-surroundings.js';
import { addressOf } from '../servers/remembered-servers.js';
import type { HomePorts, OpenedHome } from './home.js';

export interface AccountHomePorts extends HomePorts {
  /** Whether the identity of a server that is new here is to be trusted. */
  readonly trust: (pin: string) => Promise<boolean>;
  /** Of the recovery file. */
  readonly passphrase: () => Promise<string>;
  /** One that is down holds no other up: a device that is known here is open before it is connected. */
  readonly oneOfSeveral: boolean;
}

/** Logs in, or registers. Throws UsageError, and what the SDK throws; nothing stays open then. */
export async function openAccountHome(command: JoinCommand, opening: Opening, ports: AccountHomePorts): Promise<OpenedHome> {
  const isNew = !existsSync(storeFileIn(storeFolderOf(command)));
  const store = await openStore(command, opening.store);
  const client = await openDevice(command, store, ports.trust);
  // They listen before it connects: messages may come with the first box.
  const { chat, stop } = chatOf(client, store, command, ports);
  const close = () => {
    stop();
    return client.close();
  };
  try {
    const file = await recoveryFileOf(client, command);
    const entering = enter(client, command, opening.password);
    const registered = ports.oneOfSeveral && client.account !== undefined && command.recovery === undefined ? false : await entering;
    await recover(client, file, ports.passphrase);
    const groups = () => client.groups.all();
    return { home: { kind: 'account', client, chat, help: CHAT_HELP, groups, close }, first: welcome(client, command, registered) };
  } catch (error) {
    const isEmpty = isNew && neverCameToBe(client);
    await close();
    if (isEmpty) await removeStore(command);
    throw error;
  }
}

function chatOf(
  client: SottoClient,
  store: SqliteStore,
  command: JoinCommand,
  { ask, numbers, showingIsReading, show }: HomePorts,
): { readonly chat: Chat; readonly stop: () => void } {
  const account = new AccountCommands(client, toolsOf(client, store, command, ask), show);
  const names = new GroupNames(client);
  const groups = new GroupCommands(client, names, show);
  const messages = new MessageCommands(client, names, numbers, showingIsReading, show);
  const around = new ServerSurroundings(client, account, groups, addressOf(command), show);
  const deliveries = new Deliveries(client, messages, names, numbers, show);
  const chat = new Chat(client, around, messages, deliveries, ask, show);
  return { chat, stop: () => [account, groups, around, messages, deliveries, chat].forEach((part) => part.stop()) };
}
