import { ClientError } from '../client-error.js';
import { bytesOf } from '../connection/link.js';
import { type Socket, SUBPROTOCOL } from '../connection/socket.js';

/** Apart from that of servers: so each can say what it is to who looks for the other. */
export const PEER_SUBPROTOCOL = 'sotto.peer.v1';

export type PeerSocketFactory = (url: string, subprotocols: readonly string[]) => Socket;

/** The platform's own WebSocket; on Node, @sotto/client/node brings `ws`. */
export function globalPeerSocketFactory(): PeerSocketFactory {
  const { WebSocket } = globalThis as { WebSocket?: new (url: string, protocols: string[]) => unknown };
  if (WebSocket === undefined) throw new TypeError('no global WebSocket: pass `socket`, or use @sotto/client/node');
  return (url, subprotocols) => new WebSocket(url, [...subprotocols]) as Socket;
}

/** That of servers is offered to recognise one: nothing is said to it. */
export function openSocket(url: string, socketOf: PeerSocketFactory): Socket {
  const socket = socketOf(url, [PEER_SUBPROTOCOL, SUBPROTOCOL]);
  socket.binaryType = 'arraybuffer';
  return socket;
}

/** The listener's hello. Throws ClientError `offline`, `not-a-peer`. */
export function firstMessage(socket: Socket): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let failed: ClientError | undefined;
    socket.onerror = (event) => {
      failed = whyNot(event);
      reject(failed);
    };
    socket.onclose = ({ code }) => reject(failed ?? closedBeforeHello(code));
    socket.onmessage = ({ data }) => {
      if (socket.protocol === SUBPROTOCOL)
        return reject(new ClientError('not-a-peer', 'a Sotto server answers there, not a peer: sotto join talks to servers'));
      try {
        resolve(bytesOf(data));
      } catch {
        reject(new ClientError('not-a-peer', 'what answers there is no Sotto peer'));
      }
    };
  });
}

/** RFC 6455 §7.4.1 and IANA's registry. */
const TRY_AGAIN_LATER = 1013;

function closedBeforeHello(code: number): ClientError {
  if (code === TRY_AGAIN_LATER) return new ClientError('offline', 'the other end has too many connections, try again later');
  return new ClientError('offline', 'the other end hung up at once');
}

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there: is "sotto listen" running, and is this its port?',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the host cannot be reached',
  ETIMEDOUT: 'the host does not answer',
};

/** Browsers tell no cause; `ws` does. */
function whyNot(event: unknown): ClientError {
  const { error, message = '' } = event as { error?: { code?: unknown }; message?: string };
  const code = typeof error?.code === 'string' ? error.code : '';
  if (message.startsWith('Unexpected server response'))
    return new ClientError('not-a-peer', 'a web server answers there, not a Sotto peer');
  if (message.startsWith('Server sent')) return new ClientError('not-a-peer', 'a WebSocket server answers there, not a Sotto peer');
  if (code.startsWith('HPE_')) return new ClientError('not-a-peer', 'what answers there is no Sotto peer');
  return new ClientError('offline', CAUSES[code] ?? 'the other end cannot be reached');
}
