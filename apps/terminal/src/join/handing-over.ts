import { setTimeout as sleep } from 'node:timers/promises';
import type { QueuedMessage } from '@sotto/client';

/** Whoever writes through a pipe is gone before the first answer: so long what they wrote may take to leave. */
const HAND_OVER_MS = 10_000;
/** Not every change in the queue is an event. */
const LOOK_EVERY_MS = 50;

/** Waits until of all that `written` returns it is known whether it arrives, or the time is over. Returns what is not delivered then. */
export async function handOver(
  written: () => readonly QueuedMessage[],
  interrupted: AbortSignal,
  withinMs = HAND_OVER_MS,
): Promise<readonly QueuedMessage[]> {
  const end = performance.now() + withinMs;
  while (written().some(isOpen) && !interrupted.aborted && performance.now() < end) await sleep(LOOK_EVERY_MS);
  return written();
}

/** Who has left sees no marks any more. Empty when nothing waits. */
export function stayingText(undelivered: number): string {
  if (undelivered === 0) return '';
  return `${undelivered === 1 ? 'A message is' : `${undelivered} messages are`} not delivered yet, and kept here until sotto runs as you again.\n`;
}

/** The recipient may yet have it in a moment. Not so when the relay says that they are away. */
function isOpen({ status }: QueuedMessage): boolean {
  return status === 'queued' || status === 'accepted';
}

/** Neither with the recipient nor on its way there. */
export function staysHere({ status }: QueuedMessage): boolean {
  return status !== 'accepted';
}
