import type { JoinCommand } from '../command-line/commands/join.js';
import type { OpenCommand } from '../command-line/commands/open.js';
import type { PeerCommand } from '../command-line/commands/peer.js';
import type { SecretSource } from '../command-line/secrets.js';
import { commandFor } from '../command-line/commands/join.js';
import { noteHangup } from '../command-line/ending.js';
import { serversFile } from '../command-line/folders.js';
import { readPassword } from '../password/password.js';
import { stayingText } from '../join/handing-over.js';
import { rememberJoined } from '../servers/remember-joined.js';
import { readServers } from '../servers/remembered-servers.js';
import { HomeOpener } from './home-opener.js';
import { loginInSession, peersInSession, serversInSession } from './session-servers.js';
import { TerminalScreen } from './terminal-screen.js';
import { TuiSession } from './tui-session.js';

/** One account, on the whole screen. What keeps it from opening ends the program, as in line mode. */
export async function runJoinTui(command: JoinCommand): Promise<void> {
  const file = serversFile(process.env);
  let remembered: Promise<void> | undefined;
  await onScreen(command.password, async (opener) => {
    await opener.open(command);
    await (remembered = rememberJoined(file, command));
  });
  // Who leaves at once is remembered all the same.
  await remembered;
}

/** Peers without a server, on the whole screen. */
export async function runPeerTui(command: PeerCommand): Promise<void> {
  await onScreen(command.passphrase, (opener) => opener.openPeer(command));
}

/** All remembered accounts; one that does not open disturbs no other. */
export async function runOpen(command: OpenCommand): Promise<void> {
  const servers = await readServers(serversFile(process.env));
  await onScreen(command.password, async (opener) => {
    // One after the other: the password of one may open the next. None waits for the connection of another.
    for (const server of servers) await opener.open(commandFor(server)).catch(() => undefined);
  });
}

async function onScreen(source: SecretSource, open: (opener: HomeOpener) => Promise<void>): Promise<void> {
  const terminal = { input: process.stdin, output: process.stderr };
  const given = source.from === 'prompt' ? undefined : await readPassword(source, terminal, false);
  const onGone = (): void => {
    noteHangup();
    session.leave();
  };
  const screen: TerminalScreen = new TerminalScreen(process.stdin, process.stdout, {
    onKey: (key) => session.press(key),
    onResize: (columns, rows) => session.dispatch({ type: 'resized', columns, rows }),
    onGone,
  });
  const servers = serversInSession(
    serversFile(process.env),
    () => session,
    () => opener,
  );
  const peers = peersInSession(() => opener);
  const login = loginInSession(() => opener);
  const session = new TuiSession(screen, (line, place) => servers(line, place) ?? peers(line, place) ?? login(line, place));
  const opener = new HomeOpener(session, given);
  screen.open();
  // For good: ink, were it the only one that listens, would end the process at once, and leave the terminal as it is.
  let isTold = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const) {
    process.on(signal, () => {
      if (isTold) process.exit(1);
      isTold = true;
      session.leave();
    });
  }
  process.on('SIGHUP', onGone);
  try {
    const opened = open(opener);
    await Promise.race([session.left, opened.then(() => session.left)]);
  } finally {
    screen.close();
    process.stdout.write(stayingText(session.undelivered));
    await session.close();
  }
}
