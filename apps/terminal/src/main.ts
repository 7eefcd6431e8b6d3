#!/usr/bin/env node
import { type Command, parseCommand } from './command-line/command.js';
import type { DoctorCommand } from './command-line/commands/doctor.js';
import type { JoinCommand } from './command-line/commands/join.js';
import type { OpenCommand } from './command-line/commands/open.js';
import type { PeerCommand } from './command-line/commands/peer.js';
import { end } from './command-line/ending.js';
import { UsageError } from './command-line/usage-error.js';

const out = (line: string): void => void process.stdout.write(`${line}\n`);
const err = (line: string): void => void process.stderr.write(`${line}\n`);

/** Each command loads what it needs: the first frame waits for nothing else. */
async function run(command: Command): Promise<void> {
  switch (command.command) {
    case 'open':
      return open(command);
    case 'join':
      return join(command);
    case 'listen':
    case 'connect':
      return peer(command);
    case 'host':
      return (await import('./host/host-command.js')).runHost(command, { out, err });
    case 'mailbox':
      return (await import('./mailbox/mailbox-command.js')).runMailbox(command);
    case 'export':
      return (await import('./archive/export-command.js')).runExport(command, out);
    case 'import':
      return (await import('./archive/import-command.js')).runImport(command, out);
    case 'panic':
      return (await import('./panic/panic-command.js')).runPanic(command, out, err);
    default:
      return tell(command);
  }
}

type TellingCommand = Extract<Command, { command: 'help' | 'version' | 'invite' | 'servers' | 'doctor' | 'completion' }>;

async function tell(command: TellingCommand): Promise<void> {
  switch (command.command) {
    case 'help':
      return help(command.about);
    case 'version':
      return out((await import('./command-line/version.js')).versionText());
    case 'invite':
      return (await import('./invite/invite-command.js')).runInvite(command, out);
    case 'servers':
      return (await import('./servers/servers-command.js')).runServers(command, out);
    case 'doctor':
      return doctor(command);
    case 'completion':
      return out((await import('./command-line/completion.js')).completionScript(command.shell));
  }
}

async function help(about?: string): Promise<void> {
  out((await import('./command-line/help.js')).helpText(about));
}

async function doctor(command: DoctorCommand): Promise<void> {
  if (!(await (await import('./doctor/doctor-command.js')).runDoctor(command, out))) process.exit(1);
}

async function open(command: OpenCommand): Promise<void> {
  const { readServers } = await import('./servers/remembered-servers.js');
  const { serversFile } = await import('./command-line/folders.js');
  const servers = await readServers(serversFile(process.env));
  if (servers.length === 0) return help();
  if (!takesScreen()) throw new UsageError('several accounts at once need a terminal; here, name one: sotto join -t HOST -p PORT -i NAME');
  return (await screen()).runOpen(command);
}

async function join(command: JoinCommand): Promise<void> {
  if (command.json || command.plain || !takesScreen()) return (await import('./join/join-command.js')).runJoin(command);
  return (await screen()).runJoinTui(command);
}

async function peer(command: PeerCommand): Promise<void> {
  if (command.json || command.plain || !takesScreen()) return (await import('./peer/peer-command.js')).runPeer(command);
  return (await screen()).runPeerTui(command);
}

function screen(): Promise<typeof import('./tui/tui-command.js')> {
  // Or React checks everything it does, several times as slowly.
  process.env['NODE_ENV'] ??= 'production';
  return import('./tui/tui-command.js');
}

function takesScreen(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY && process.env['TERM'] !== 'dumb';
}

// Whoever read the output may be gone: a conversation ends then as if its input had (join-command.ts), and all else at once.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (process.stdout.listenerCount('error') > 1) return;
  if (error.code !== 'EPIPE') err(`sotto: nobody takes the output any more (${error.code})`);
  process.exit(1);
});
process.stderr.on('error', () => undefined);
// Unheard, it would have Node open its inspector to whoever is on this machine, and with it keys and messages.
process.on('SIGUSR1', () => undefined);

try {
  await run(parseCommand(process.argv.slice(2)));
  end(0);
} catch (error) {
  err(`sotto: ${error instanceof Error ? error.message : 'failed'}`);
  if (error instanceof UsageError) err('sotto help tells more.');
  end(error instanceof UsageError ? 2 : 1);
}
