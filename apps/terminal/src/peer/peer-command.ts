import { existsSync } from 'node:fs';
import { ClientError, type ClientErrorReason, type NewPeer, type PeerClient } from '@sotto/client';
import { openPeer, PeerDoor, type SqliteStore } from '@sotto/client/node';
import type { PeerCommand } from '../command-line/command.js';
import { defaultPeerFolder } from '../command-line/folders.js';
import { UsageError } from '../command-line/usage-error.js';
import { openStoreIn, storeFileIn } from '../device/device.js';
import { askNobody, askOn } from '../join/asker.js';
import { Chat } from '../join/chat.js';
import type { ChatEvent } from '../join/chat-event.js';
import { Display } from '../join/display.js';
import { talk } from '../join/join-command.js';
import { MessageCommands } from '../join/message-commands.js';
import { MessageNumbers } from '../join/message-numbers.js';
import { confirm, type Terminal } from '../password/hidden-prompt.js';
import { readStorePassphrase } from '../password/password.js';
import { newPeerLines, PeerSurroundings } from './peer-surroundings.js';

/** Of those who were not let in: who only looked, or spoke of something else, is no news. A changed key is told by the SDK. */
const TOLD: readonly ClientErrorReason[] = ['not-admitted', 'peer-unproven'];
const QUIET_MS = 10_000;

/** Talks to peers until the user leaves, the input ends, or SIGINT or SIGTERM. */
export async function runPeer(command: PeerCommand): Promise<void> {
  const terminal: Terminal = { input: process.stdin, output: process.stderr };
  const folder = command.store ?? defaultPeerFolder(process.env, command.name);
  const isNew = !existsSync(storeFileIn(folder));
  const passphrase = await readStorePassphrase(command.passphrase, terminal, isNew);
  const store = await openStoreIn(folder, passphrase, 'this passphrase does not open what is stored here');
  const display = new Display(command.json, new MessageNumbers());
  const client = await openClient(command, store, (peer) => isTrusted(peer, command, terminal, display));
  const { chat, around, stop } = partsOf(client, command, display);
  let door: PeerDoor | undefined;
  try {
    if (command.command === 'listen') door = await openDoor(client, command, display);
    else await around.dial(command, command.pin);
    await talk(chat, display, command.json, firstEvents(client, command, isNew, door));
  } finally {
    stop();
    door?.close();
    await client.close();
  }
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

function partsOf(client: PeerClient, command: PeerCommand, display: Display) {
  const show = (event: ChatEvent) => display.show(event);
  const ask = command.json ? askNobody : askOn(() => display.screen);
  // It knows the chat only by this: a chat needs its surroundings first.
  const around = new PeerSurroundings(client, show, (name) => chat.turnTo(name));
  const messages = new MessageCommands(client, around.groups, display.numbers, !command.json, show);
  const chat = new Chat(client, around, messages, ask, display.numbers, show);
  return { chat, around, stop: () => [around, messages, chat].forEach((part) => part.stop()) };
}

async function openDoor(client: PeerClient, { host, port }: PeerCommand, display: Display): Promise<PeerDoor> {
  let quietUntil = 0;
  // Strangers may knock as often as they like.
  const refused = (error: Error) => {
    const isTold = error instanceof ClientError && TOLD.includes(error.reason) && Date.now() >= quietUntil;
    if (!isTold) return;
    quietUntil = Date.now() + QUIET_MS;
    display.show({ event: 'notice', text: `somebody was not let in: ${error.message}` });
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

/** Before the conversation begins the terminal asks; later only whoever knows the pin reaches somebody new. */
async function isTrusted(peer: NewPeer, { trustNew }: PeerCommand, terminal: Terminal, { screen }: Display): Promise<boolean> {
  if (trustNew) return true;
  if (screen !== undefined || !terminal.input.isTTY) return false;
  terminal.output.write(newPeerLines(peer));
  return confirm(terminal, 'Is that what the other end shows?');
}
