import { mkdir } from 'node:fs/promises';
import type { Standalone } from '@sotto/standalone';
import type { HostCommand } from '../command-line/command.js';
import { defaultServerFolder } from '../command-line/folders.js';
import { UsageError } from '../command-line/usage-error.js';
import { encodeJoinLink, hostForUrl } from '../link/join-link.js';
import { type IssuedInvite, openInviteDoor } from './invite-door.js';

export interface Output {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

/** What the operator must hear of; the rest of the log is for service deployments. */
function operatorLog(err: (line: string) => void) {
  const say = (level: string) => (message: unknown) => {
    // What stops the start is told by whoever started it.
    if (typeof message === 'string' && !message.includes("can't open")) err(`${level}: ${message}`);
  };
  return {
    log: () => undefined,
    debug: () => undefined,
    verbose: () => undefined,
    warn: say('warning'),
    error: say('error'),
    fatal: say('fatal'),
  };
}

/** The refusals of an operating system that an operator can do something about. */
function explained(error: unknown, { host, port }: HostCommand, data: string): Error {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') return new UsageError(`port ${port} is taken: choose another with -p, or -p 0 for a free one`);
  if (code === 'EACCES' && port < 1_024) return new UsageError(`port ${port} needs rights that you do not have: choose one above 1023`);
  if (code === 'EADDRNOTAVAIL') return new UsageError(`${host} is no address of this machine: choose another with --host`);
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM')
    return new UsageError(`${data} cannot be written: choose another folder with --data`);
  return error instanceof Error ? error : new Error('the server did not start');
}

/** Runs until SIGINT or SIGTERM. */
export async function runHost(command: HostCommand, { out, err }: Output): Promise<void> {
  const stopped = signalled();
  const data = command.data ?? defaultServerFolder(process.env);
  const server = await start(command, data, err).catch((error: unknown) => {
    throw explained(error, command, data);
  });
  // A wildcard address is nothing to connect to.
  const host = ['0.0.0.0', '::'].includes(command.host) ? 'localhost' : command.host;
  const issue = async (name: string | undefined): Promise<IssuedInvite> => {
    const { code, expires } = await server.createInvite(name);
    return { code, expires, link: encodeJoinLink({ host, port: server.port, pin: server.pin, invite: code, name }) };
  };
  const closeDoor = await openInviteDoor(data, issue);
  const first = command.registration === 'closed' ? undefined : await issue(undefined);
  const address = `${hostForUrl(host)}:${server.port}`;
  if (command.json) out(JSON.stringify({ event: 'listening', address, host, port: server.port, pin: server.pin, invite: first, data }));
  else for (const line of greeting(command, { address, port: server.port, host, pin: server.pin, link: first?.link })) out(line);
  await stopped;
  if (!command.json) out('Stopping…');
  await closeDoor();
  await server.stop();
}

async function start(command: HostCommand, data: string, err: (line: string) => void): Promise<Standalone> {
  await mkdir(data, { recursive: true, mode: 0o700 });
  // Loaded here: who only joins a server does not load one.
  const { startStandalone } = await import('@sotto/standalone');
  return startStandalone({
    folder: data,
    host: command.host,
    port: command.port,
    maxConnections: command.size,
    registration: command.registration,
    retryWindowSeconds: command.retryWindowSeconds,
    logger: operatorLog(err),
    ...(command.serverName === undefined ? {} : { serverName: command.serverName }),
  });
}

interface Greeting {
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly pin: string;
  readonly link: string | undefined;
}

function greeting(command: HostCommand, { address, host, port, pin, link }: Greeting): string[] {
  const lines = [`Sotto listens on ${address} for up to ${command.size} connections.`, `Pin:      ${pin}`];
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
