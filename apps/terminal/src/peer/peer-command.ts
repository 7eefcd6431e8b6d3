import type { NewPeer } from '@sotto/client';
import type { PeerCommand } from '../command-line/commands/peer.js';
import { isNewPeerStore, openPeerHome } from '../homes/peer-home.js';
import { askNobody, askOn } from '../join/asker.js';
import { Display } from '../join/display.js';
import { talk } from '../join/join-command.js';
import { MessageNumbers } from '../join/message-numbers.js';
import { confirm, type Terminal } from '../password/hidden-prompt.js';
import { onTerminal, openKeyFile } from '../password/key-file.js';
import { readStorePassphrase } from '../password/password.js';
import { NEW_PEER_QUESTION, newPeerLines } from './peer-surroundings.js';

/** Line mode: talks to peers until the user leaves, the input ends, or SIGINT or SIGTERM. */
export async function runPeer(command: PeerCommand): Promise<void> {
  const terminal: Terminal = { input: process.stdin, output: process.stderr };
  const isNew = isNewPeerStore(command);
  const secret =
    command.keyFile === undefined
      ? await readStorePassphrase(command.passphrase, terminal, isNew)
      : await openKeyFile(command.keyFile, !isNew, onTerminal(terminal));
  const display = new Display(command.json, new MessageNumbers());
  const { home, first } = await openPeerHome(command, secret, (peer) => isTrusted(peer, command, terminal, display), {
    ask: command.json ? askNobody : askOn(() => display.screen),
    numbers: display.numbers,
    showingIsReading: !command.json,
    show: (event) => display.show(event),
  });
  try {
    await talk(home.chat, display, command.json, first);
  } finally {
    await home.close();
  }
}

/** Before the conversation begins the terminal asks; later only whoever knows the pin reaches somebody new. */
async function isTrusted(peer: NewPeer, { trustNew }: PeerCommand, terminal: Terminal, { screen }: Display): Promise<boolean> {
  if (trustNew) return true;
  if (screen !== undefined || !terminal.input.isTTY) return false;
  terminal.output.write(newPeerLines(peer));
  return confirm(terminal, NEW_PEER_QUESTION);
}
