import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';

/** A process to be ended, and a folder to be removed. */
export interface Guarded {
  readonly pid: number;
  readonly stopSignal: NodeJS.Signals;
  readonly folder: string;
}

/** Reads `+ pid signal folder` and `- pid`; at the end of its input it ends those that are left. */
const SCRIPT = `
left=''
while read -r sign pid signal folder; do
  left=$(printf '%s\\n' "$left" | grep -v "^$pid ")
  if [ "$sign" = + ]; then left="$left
$pid $signal $folder"; fi
done
[ -z "$left" ] && exit
each() { printf '%s\\n' "$left" | while read -r pid signal folder; do [ -z "$pid" ] || "$@"; done; }
end() { kill -s "$signal" "$pid"; }
remove() { kill -9 "$pid"; rm -rf "$folder"; }
each end; sleep 1; each remove
`;

const watched = new Set<number>();
let guard: Socket | undefined;

/**
 * Ends the process and removes its folder when this process is gone, however it went: the guard's input is a pipe that only this process holds,
 * so it closes even on SIGKILL (and Jest gives tests a `process` whose exit event never comes). One guard for all: to start one is dear in a large process.
 */
export function watch({ pid, stopSignal, folder }: Guarded): void {
  guard ??= inputOf(startGuard());
  watched.add(pid);
  guard.write(`+ ${pid} ${stopSignal.slice('SIG'.length)} ${folder}\n`);
}

/** Before it is ended: its number may be another's then. */
export function unwatch(pid: number): void {
  if (!watched.delete(pid)) return;
  guard?.write(`- ${pid}\n`);
  if (watched.size > 0) return;
  guard?.end();
  guard = undefined;
}

function startGuard(): ChildProcess {
  const started = spawn('/bin/sh', ['-c', SCRIPT, 'guard'], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  started.unref();
  started.on('error', () => undefined);
  return started;
}

function inputOf({ stdin }: ChildProcess): Socket {
  if (!(stdin instanceof Socket)) throw new Error('the guard of the servers does not start');
  stdin.unref();
  stdin.on('error', () => undefined);
  return stdin;
}
