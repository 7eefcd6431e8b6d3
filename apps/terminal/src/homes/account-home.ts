import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { SottoClient } from '@sotto/client';
import type { SqliteStore } from '@sotto/client/node';
import type { JoinCommand } from '../command-line/command.js';
import { enter, openDevice, openStore, recover, storeFileOf, toolsOf, welcome } from '../device/device.js';
import { AccountCommands } from '../join/account-commands.js';
import type { Asker } from '../join/asker.js';
import { Chat } from '../join/chat.js';
import type { ChatEvent } from '../join/chat-event.js';
import { GroupCommands } from '../join/group-commands.js';
import { GroupNames } from '../join/group-names.js';
import { MessageCommands } from '../join/message-commands.js';
import type { MessageNumbers } from '../join/message-numbers.js';
import type { Home } from './home.js';

/** What a home needs of whoever shows it. */
export interface HomePorts {
  /** For questions of commands in the middle of a conversation. */
  readonly ask: Asker;
  /** Whether the identity of a server that is new here is to be trusted. */
  readonly trust: (pin: string) => Promise<boolean>;
  readonly passphrase: () => Promise<string>;
  readonly numbers: MessageNumbers;
  /** Whoever sees a message as it comes has read it. */
  readonly showingIsReading: boolean;
  /** One that is down holds no other up: a device that is known here is open before it is connected. */
  readonly oneOfSeveral: boolean;
  readonly show: (event: ChatEvent) => void;
}

/** Logs in, or registers. `first`: what the user is told first. Throws UsageError, and what the SDK throws; nothing stays open then. */
export async function openAccountHome(
  command: JoinCommand,
  password: string,
  ports: HomePorts,
): Promise<{ readonly home: Home; readonly first: readonly ChatEvent[] }> {
  const isNew = !existsSync(storeFileOf(command));
  const store = await openStore(command, password);
  const client = await openDevice(command, store, ports.trust);
  // They listen before it connects: messages may come with the first box.
  const { chat, stop } = chatOf(client, store, command, ports);
  const close = () => {
    stop();
    return client.close();
  };
  try {
    const entering = enter(client, command, password);
    const registered = ports.oneOfSeveral && client.account !== undefined && command.recovery === undefined ? false : await entering;
    await recover(client, command, ports.passphrase);
    const [ownName, groups] = [() => client.account?.name, () => client.groups.all()];
    return { home: { client, chat, ownName, groups, start: () => chat.start(), close }, first: welcome(client, command, registered) };
  } catch (error) {
    // Nothing is in it yet, and a password with a slip of the finger must not be the one that opens it.
    const isEmpty = isNew && client.account === undefined;
    await close();
    if (isEmpty) await rm(storeFileOf(command), { force: true });
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
  const chat = new Chat(client, { account, groups, messages }, ask, numbers, show);
  return { chat, stop: () => [account, groups, messages, chat].forEach((part) => part.stop()) };
}
