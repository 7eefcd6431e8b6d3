import { ChannelError, ClientHandshake, type SealedChannel } from '@sotto/channel';
import { fromHex, toHex } from '@sotto/protocol';
import { ClientError } from '../client-error.js';

export interface PinPolicy {
  /** Lower-case hex of 32 bytes, when one is known. */
  readonly pin?: string | undefined;
  /** Asked on first use, before anything secret is sent. True: trust this server from now on. */
  readonly onNewPin?: ((pin: string) => boolean | Promise<boolean>) | undefined;
}

export interface OpenChannel {
  readonly clientHello: Uint8Array;
  readonly channel: SealedChannel;
  readonly pin: string;
}

/** The one place that knows @sotto/channel's handshake. Throws ClientError; nothing may be sent then. */
export async function answerServerHello(serverHello: Uint8Array, { pin, onNewPin }: PinPolicy): Promise<OpenChannel> {
  const answer = await answered(serverHello, pin);
  const shown = toHex(answer.pin);
  if (pin === undefined && !(await (onNewPin?.(shown) ?? false))) {
    answer.channel.close();
    throw new ClientError('pin-refused', `the server's identity ${shown} is not trusted yet: pin it, or confirm it when asked`);
  }
  return { clientHello: answer.clientHello, channel: answer.channel, pin: shown };
}

async function answered(serverHello: Uint8Array, pin: string | undefined) {
  try {
    return await ClientHandshake.answer(serverHello, { pin: pin === undefined ? undefined : fromHex(pin), now: Date.now() / 1000 });
  } catch (error) {
    if (!(error instanceof ChannelError)) throw error;
    if (error.reason === 'wrong-pin') throw new ClientError('pin-changed', 'the server shows another identity than the one that is pinned');
    throw new ClientError('handshake-failed', `the server's hello was refused: ${error.reason}`);
  }
}
