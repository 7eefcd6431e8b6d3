import { existsSync } from 'node:fs';
import { ClientError, type ClientErrorReason, type NewPeer, type PeerClient } from '@sotto/client';
import { openPeer, PeerDoor, type SqliteStore, type StoreSecret } from '@sotto/client/node';
import type { PeerCommand } from '../command-line/commands/peer.js';
import { defaultPeerFolder } from '../command-line/folders.js';
import { UsageError } from '../command-line/usage-error.js';
import { openStoreIn, storeFileIn } from '../device/device.js';
import { Chat } from '../join/chat.js';
import type { ChatEvent } from '../join/chat-event.js';
import { Deliveries } from '../join/deliveries.js';
import { MessageCommands } from '../join/message-commands.js';
import { destroyHere } from '../panic/destruction.js';
import { PeerSurroundings } from '../peer/peer-surroundings.js';
import type { HomePorts, OpenedHome } from './home.js';

/** Of those who were not let in: who only looked, or spoke of something else, is no news. A changed key is told by the SDK. */
const TOLD: readonly ClientErrorReason[] = ['not-admitted', 'peer-unproven'];
const QUIET_MS = 10_000;

export function isNewPeerStore(command: PeerCommand): boolean {
  return !existsSync(storeFileIn(folderOf(command)));
}

function folderOf({ store, name }: PeerCommand): string {
  return store ?? defaultPeerFolder(process.env, name);
}

/** Listens, or has dialed. Throws UsageError, and what the SDK throws; nothing stays open then. @param trust asked about peers that are new here */
export async function openPeerHome(
  command: PeerCommand,
  secret: StoreSecret,
  trust: (peer: NewPeer) => Promise<boolean>,
  ports: HomePorts,
): Promise<OpenedHome> {
  const isNew = isNewPeerStore(command);
  const store = await openStoreIn(folderOf(command), secret, 'this passphrase does not open what is stored here');
  const client = await openClient(command, store, trust);
  const { chat, around, stop } = chatOf(client, ports, storeFileIn(folderOf(command)));
  let door: PeerDoor | undefined;
  const close = () => {
    stop();
    door?.close();
    return client.close();
  };
  try {
    if (command.command === 'listen') door = await openDoor(client, command, ports.show);
    else await around.dial(command, command.pin);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    home: { kind: 'peers', client, chat, help: around.help, groups: () => [], close },
    first: firstEvents(client, command, isNew, door),
  };
}

async function openClient(
  { command, name, pin }: PeerCommand,
  store: SqliteStore,
  onNewPeer: (peer: NewPeer) => Promise<boolean>,
): Promise<PeerClient> {
  try {
    return await openPeer({ name, store, onNewPeer, admit: command === 'listen' ? pin : undefined });
  } catch (error) {
    throw error instanceof ClientError && error.reason === 'bad-store' ? new UsageError(error.message) : error;
  }
}

function chatOf(client: PeerClient, { ask, numbers, showingIsReading, show }: HomePorts, file: string) {
  // It knows the chat only by this: a chat needs its surroundings first.
  const around = new PeerSurroundings(client, show, (name) => chat.turnTo(name), {
    ask,
    destroy: () => destroyHere({ client, file }),
  });
  const messages = new MessageCommands(client, around.groups, numbers, showingIsReading, show);
  const deliveries = new Deliveries(client, messages, around.groups, numbers, show);
  const chat = new Chat(client, around, messages, deliveries, ask, show);
  return { chat, around, stop: () => [around, messages, deliveries, chat].forEach((part) => part.stop()) };
}

async function openDoor(client: PeerClient, { host, port }: PeerCommand, show: (event: ChatEvent) => void): Promise<PeerDoor> {
  let quietUntil = 0;
  // Strangers may knock as often as they like.
  const refused = (error: Error) => {
    const isTold = error instanceof ClientError && TOLD.includes(error.reason) && Date.now() >= quietUntil;
    if (!isTold) return;
    quietUntil = Date.now() + QUIET_MS;
    show({ event: 'notice', text: `somebody was not let in: ${error.message}` });
  };
  try {
    return await PeerDoor.open(client, { host, port }, refused);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(error instanceof ClientError ? message : `it can't listen on ${host}, port ${port} (${code ?? message})`);
  }
}

function firstEvents({ account: { name }, pin }: PeerClient, { host }: PeerCommand, registered: boolean, door?: PeerDoor): ChatEvent[] {
  const ready: ChatEvent = { event: 'ready', name, server: '', pin, registered, pending: false, peer: true };
  return door === undefined ? [ready] : [ready, { event: 'listening', host, port: door.port, pin }];
}
