/** The part of a WebSocket that the SDK uses: the browser's, Node's, or one of `ws`. */
export interface Socket {
  binaryType: string;
  /** The subprotocol that the other end chose. */
  readonly protocol?: string;
  /** Bytes that were sent and not yet taken by the network. */
  readonly bufferedAmount?: number;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
  /** Where the platform can: ends at once, whatever was not taken by the network. */
  terminate?(): void;
  /** Where the platform can: nothing more is read for a while. */
  pause?(): void;
  resume?(): void;
}

export type SocketFactory = (url: string, subprotocol: string) => Socket;

export const SUBPROTOCOL = 'sotto.v1';

/** The platform's own WebSocket; Node 20 has none, there @sotto/client/node brings `ws`. */
export function globalSocketFactory(): SocketFactory {
  const { WebSocket } = globalThis as { WebSocket?: new (url: string, protocol: string) => unknown };
  if (WebSocket === undefined) throw new TypeError('no global WebSocket: pass `socket`, or use @sotto/client/node');
  return (url, subprotocol) => new WebSocket(url, subprotocol) as Socket;
}
