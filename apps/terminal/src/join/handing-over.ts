import type { MessagingClient, QueuedMessage } from '@sotto/client';

/** Whoever writes through a pipe is gone before the first answer: so long what they wrote may take to leave. */
const HAND_OVER_MS = 10_000;

/** Waits until of all that `written` returns it is known whether it arrives, or the time is over. Returns what is not delivered then. */
export async function handOver(
  client: Pick<MessagingClient, 'on'>,
  written: () => readonly QueuedMessage[],
  interrupted: AbortSignal,
  withinMs = HAND_OVER_MS,
): Promise<readonly QueuedMessage[]> {
  if (!interrupted.aborted && written().some(isOpen)) {
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        stopListening();
        resolve();
      };
      const timer = setTimeout(end, withinMs);
      const stopListening = client.on('delivery', () => (written().some(isOpen) ? undefined : end()));
      interrupted.addEventListener('abort', end, { once: true });
    });
  }
  return written();
}

/** The recipient may yet have it in a moment. Not so when the relay says that they are away. */
function isOpen({ status }: QueuedMessage): boolean {
  return status === 'queued' || status === 'accepted';
}

/** Neither with the recipient nor on its way there. */
export function staysHere({ status }: QueuedMessage): boolean {
  return status !== 'accepted';
}
