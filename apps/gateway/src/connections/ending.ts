import type { WebSocket } from 'ws';

/** Says why and is gone: who is sent away, or says nothing, holds nothing here while it takes its time to answer. */
export function endNow(socket: WebSocket, code: number, reason: string): void {
  socket.close(code, reason);
  socket.terminate();
}
