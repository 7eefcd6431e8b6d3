import { randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { UsageError } from '../command-line/usage-error.js';

/** How `sotto invite` reaches the server that runs: a loopback port, and a secret that only the owner of the data folder can read. */
const DOOR_FILE = 'invite-door.json';
const ANSWER_TIMEOUT_MS = 10_000;
const MAX_LINE = 1_024;

interface Door {
  readonly port: number;
  /** Hex; new at every start, so a stale file opens nothing. */
  readonly secret: string;
}

export interface IssuedInvite {
  readonly link: string;
  readonly code: string;
  /** Unix seconds. */
  readonly expires: number;
}

/** Returns what closes the door. */
export async function openInviteDoor(
  data: string,
  issue: (name: string | undefined) => Promise<IssuedInvite>,
): Promise<() => Promise<void>> {
  const secret = randomBytes(32).toString('hex');
  const server = createServer((socket) => void answer(socket, secret, issue));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const file = join(data, DOOR_FILE);
  await writeFile(file, JSON.stringify({ port, secret } satisfies Door), { mode: 0o600 });
  await chmod(file, 0o600);
  return async () => {
    await rm(file, { force: true });
    await new Promise((resolve) => server.close(resolve));
  };
}

async function answer(socket: Socket, secret: string, issue: (name: string | undefined) => Promise<IssuedInvite>): Promise<void> {
  socket.on('error', () => socket.destroy());
  socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
  try {
    const { secret: shown, name } = JSON.parse(await firstLine(socket)) as { secret?: unknown; name?: unknown };
    if (typeof shown !== 'string' || !sameSecret(shown, secret)) return void socket.destroy();
    socket.end(`${JSON.stringify(await issue(typeof name === 'string' ? name : undefined))}\n`);
  } catch (error) {
    socket.end(`${JSON.stringify({ error: error instanceof Error ? error.message : 'failed' })}\n`);
  }
}

function sameSecret(shown: string, secret: string): boolean {
  return shown.length === secret.length && timingSafeEqual(Buffer.from(shown), Buffer.from(secret));
}

async function firstLine(socket: Socket): Promise<string> {
  let seen = 0;
  socket.on('data', (chunk: Buffer) => {
    seen += chunk.length;
    if (seen > 4 * MAX_LINE) socket.destroy();
  });
  for await (const line of createInterface({ input: socket })) return line.slice(0, MAX_LINE);
  throw new UsageError('the server closed the connection without an answer');
}

/** Asks the server that runs on this data folder. Throws UsageError when none does. */
export async function askForInvite(data: string, name: string | undefined): Promise<IssuedInvite> {
  const { port, secret } = await readDoor(data);
  const socket = createConnection({ port, host: '127.0.0.1' });
  try {
    await new Promise<void>((resolve, reject) => socket.once('error', reject).once('connect', resolve));
  } catch {
    throw notRunning(data);
  }
  socket.write(`${JSON.stringify({ secret, name })}\n`);
  try {
    const reply = JSON.parse(await firstLine(socket)) as IssuedInvite | { error: string };
    if ('error' in reply) throw new UsageError(`the server made no invite: ${reply.error}`);
    return reply;
  } finally {
    socket.destroy();
  }
}

async function readDoor(data: string): Promise<Door> {
  try {
    return JSON.parse(await readFile(join(data, DOOR_FILE), 'utf8')) as Door;
  } catch {
    throw notRunning(data);
  }
}

function notRunning(data: string): UsageError {
  return new UsageError(`no server runs on ${data}: start one with sotto host, or name its folder with --data`);
}
