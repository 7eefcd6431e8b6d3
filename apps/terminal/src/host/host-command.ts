import { join } from 'node:path';
import type { Standalone } from '@sotto/standalone';
import type { HostCommand } from '../command-line/commands/host.js';
import type { Address } from '../command-line/address.js';
import { defaultServerFolder } from '../command-line/folders.js';
import { makeFolder } from '../command-line/make-folder.js';
import { UsageError } from '../command-line/usage-error.js';
import { encodeJoinLink, hostForUrl } from '../link/join-link.js';
import { type IssuedInvite, openInviteDoor } from './invite-door.js';
import { operatorLog } from './operator-log.js';

export interface Output {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

/** The refusals of an operating system that an operator can do something about. */
export function explained(error: unknown, { host, port }: Pick<HostCommand, 'host' | 'port'>, data: string): Error {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return new UsageError(`port ${port} is taken: choose another with -p, or -p 0 for a free one`);
  if (code === 'EACCES' && syscall === 'listen')
    return new UsageError(`port ${port} needs rights that you do not have: choose one above 1023`);
  if (code === 'EADDRNOTAVAIL') return new UsageError(`${host} is no address of this machine: choose another with --host`);
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM')
    return new UsageError(`${data} cannot be written: choose another folder with --data`);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new UsageError(`the disk of ${data} is full: make room, or choose another folder with --data`);
  return error instanceof Error ? error : new Error('the server did not start');
}

/** Runs until SIGINT or SIGTERM. */
export async function runHost(command: HostCommand, { out, err }: Output): Promise<void> {
  const stopped = signalled();
  const data = command.data ?? defaultServerFolder(process.env);
  const { server, shown, first, closeDoor } = await open(command, data, err).catch((error: unknown) => {
    throw explained(error, command, data);
  });
  if (command.json) out(JSON.stringify(listening(command, server, shown, first, data)));
  else for (const line of greeting(command, server.port, shown, first?.link)) out(line);
  await stopped;
  if (!command.json) out('Stopping…');
  await closeDoor();
  await server.stop();
}

/** All that can fail before anybody is told that it listens. */
async function open(command: HostCommand, data: string, err: (line: string) => void) {
  const server = await start(command, data, err);
  const shown = { ...publicOf(command, server.port), pin: server.pin };
  const issue = async (name: string | undefined): Promise<IssuedInvite> => {
    const { code, expires } = await server.createInvite(name);
    return { code, expires, link: encodeJoinLink({ ...shown, invite: code, name }) };
  };
  try {
    const closeDoor = await openInviteDoor(data, issue);
    const first = command.registration === 'closed' ? undefined : await issue(undefined);
    return { server, shown, first, closeDoor };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** What others are told to connect to. */
interface Shown extends Address {
  readonly pin: string;
}

function isWildcard({ host }: HostCommand): boolean {
  return ['0.0.0.0', '::'].includes(host);
}

/** As the operator says; else where it listens, but a wildcard address is nothing to connect to. */
function publicOf(command: HostCommand, port: number): Address {
  if (command.publicAddress !== undefined) return { port, ...command.publicAddress };
  return { host: isWildcard(command) ? 'localhost' : command.host, port };
}

/** `address`: by which others reach it; `host` and `port`: where it listens. */
function listening({ host }: HostCommand, { port }: Standalone, shown: Shown, invite: IssuedInvite | undefined, data: string) {
  const address = `${hostForUrl(shown.host)}:${shown.port}`;
  return { event: 'listening', address, host, port, pin: shown.pin, invite, data };
}

async function start(command: HostCommand, data: string, err: (line: string) => void): Promise<Standalone> {
  // The innermost that the server needs: that `data` is there does not mean that something can be made in it.
  await makeFolder(join(data, 'database'), 'choose another folder with --data');
  // Loaded here: who only joins a server does not load one.
  const { describeError, startStandalone } = await import('@sotto/standalone');
  return startStandalone({
    folder: data,
    host: command.host,
    port: command.port,
    maxConnections: command.size,
    registration: command.registration,
    retryWindowSeconds: command.retryWindowSeconds,
    logger: operatorLog(err, describeError),
    ...(command.serverName === undefined ? {} : { serverName: command.serverName }),
  });
}

function greeting(command: HostCommand, listensOn: number, { host, port, pin }: Shown, link: string | undefined): string[] {
  const lines = [`Sotto listens on ${hostForUrl(command.host)}:${listensOn} for up to ${command.size} connections.`];
  if (command.publicAddress !== undefined) lines.push(`Others reach it at ${hostForUrl(host)}:${port}.`);
  else if (isWildcard(command))
    lines.push('What is below works on this machine; for others start it with --public HOST:PORT, as they reach it.');
  lines.push(`Pin:      ${pin}`);
  if (link !== undefined) lines.push(`Invite:   ${link}`, '', 'To register and join, copy:', `  npx sotto join '${link}' -i NAME`);
  const open = command.registration === 'open' ? ' --new' : '';
  lines.push(link === undefined ? 'To join:' : 'From then on:', `  npx sotto join -t ${host} -p ${port} -k ${pin} -i NAME${open}`, '');
  lines.push('An invite lets one person in; sotto invite makes more. Ctrl-C ends the server.');
  return lines;
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
