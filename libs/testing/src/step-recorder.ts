import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningServer } from './server-process.js';

/** What was done to a server since the last look, each step by what it is and not by its values: so that two ways through the code can be compared. */
export interface StepRecorder {
  take(): Promise<string[]>;
  close(): void;
}

/** Commands with the first word of their keys; those that scripts make too. Polls of leases are left out. */
export async function recordRedis({ port }: RunningServer): Promise<StepRecorder> {
  const [monitor, marking] = await Promise.all([connectTo(port), connectTo(port)]);
  let text = '';
  let markers = 0;
  monitor.on('data', (data) => (text += data.toString('latin1')));
  monitor.write('MONITOR\r\n');
  /** Redis tells its monitors of commands in their order: what was done before the mark stands before it. */
  const take = async (): Promise<string[]> => {
    const mark = `mark-${++markers}-${process.pid}`;
    const line = `"${mark}"\r\n`;
    marking.write(`ECHO ${mark}\r\n`);
    while (!text.includes(line)) await sleep(1);
    const end = text.indexOf(line) + line.length;
    const lines = text.slice(0, end).split('\r\n');
    text = text.slice(end);
    return lines.flatMap(stepOfRedis);
  };
  await take();
  const close = () => [monitor, marking].forEach((socket) => socket.destroy());
  return { take, close };
}

async function connectTo(port: number): Promise<Socket> {
  const socket = new Socket();
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.connect(port, '127.0.0.1', resolve);
  });
  return socket;
}

/** `+<time> [0 <address or lua>] "command" "argument"…` */
function stepOfRedis(line: string): string[] {
  const [, by, rest] = /^\+[\d.]+ \[\d+ ([^\]]*)\] (.*)$/.exec(line) ?? [];
  if (by === undefined || rest === undefined || /"leases:|^"(TIME|ping|info|echo)"/i.test(rest)) return [];
  const words = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word]) => word!);
  const command = words[0]!.toLowerCase();
  const what = command === 'evalsha' ? words[1]! : (words[1] ?? '').split(/[:{]/)[0]!;
  return [`${by === 'lua' ? 'script: ' : ''}${command} ${what}`];
}

/** Statements of a server that was started to log them. */
export async function recordPostgres({ folder }: RunningServer): Promise<StepRecorder> {
  const read = () => readFile(join(folder, 'log'), 'utf8');
  let seen = (await read()).length;
  const take = async (): Promise<string[]> => {
    const text = (await read()).slice(seen);
    seen += text.length;
    return [...text.matchAll(/LOG: {2}(?:execute [^:]*|statement): (.*)/g)].map(([, statement]) => statement!.trim());
  };
  return { take, close: () => undefined };
}
