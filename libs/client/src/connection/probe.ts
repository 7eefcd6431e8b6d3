import { ChannelError, inspectServerHello } from '@sotto/channel';
import { fromHex, toHex } from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import { firstMessage } from './link.js';
import { type SocketFactory, SUBPROTOCOL } from './socket.js';

export interface ShownServer {
  /** Of the identity that it shows. Lower-case hex. */
  readonly pin: string;
  /** Whether that is the identity of the known pin, or one that it vouches for. Undefined: no pin is known. */
  readonly trusted: boolean | undefined;
  /** Between these its certificate is good: a clock that is elsewhere is wrong, or the server's is. */
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Looks at a server without telling it anything. Throws ClientError `offline`, `timeout`, or `handshake-failed` for what is no Sotto server. */
export async function probeServer(url: string, socketOf: SocketFactory, knownPin?: string): Promise<ShownServer> {
  const socket = socketOf(url, SUBPROTOCOL);
  socket.binaryType = 'arraybuffer';
  try {
    return await shownBy(await firstMessage(socket), knownPin);
  } catch (error) {
    if (!(error instanceof ChannelError)) throw error;
    throw new ClientError('handshake-failed', `what it says first is no hello of a Sotto server: ${error.reason}`);
  } finally {
    socket.onclose = socket.onmessage = null;
    socket.onerror = () => undefined;
    socket.close();
  }
}

async function shownBy(hello: Uint8Array, knownPin: string | undefined): Promise<ShownServer> {
  const { pin, notBefore, notAfter } = await inspectServerHello(hello);
  return {
    pin: toHex(pin),
    trusted: knownPin === undefined ? undefined : await isTrusted(hello, fromHex(knownPin)),
    notBefore: new Date(notBefore * 1_000),
    notAfter: new Date(notAfter * 1_000),
  };
}

async function isTrusted(hello: Uint8Array, pin: Uint8Array): Promise<boolean> {
  try {
    await inspectServerHello(hello, pin);
    return true;
  } catch (error) {
    if (error instanceof ChannelError && error.reason === 'wrong-pin') return false;
    throw error;
  }
}
