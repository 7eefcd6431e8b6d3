import { type GatewayIdentity, makeGatewayKey, type SealedChannel, ServerHandshake, signCertificate } from '@sotto/channel';
import { type PeerAdmission, TIMES } from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import { answerServerHello } from '../connection/handshake.js';
import { bytesOf, Link } from '../connection/link.js';
import type { Socket } from '../connection/socket.js';
import type { KeyPair } from '../sodium.js';
import { firstMessage, openSocket, type PeerSocketFactory } from './dialing.js';
import { FirstFrames } from './first-frames.js';
import { type PeerIdentity, prove, provenIdentity } from './peer-identity.js';

/** Clocks of peers may differ by so much: the certificate on the wire stands for nobody, so it is good around now. Seconds. */
const CERTIFICATE_AROUND_NOW = TIMES.certificateSeconds / 2;

/** A link, and who was proven to be at its other end. */
export interface Meeting {
  readonly link: Link;
  readonly peer: PeerIdentity;
  readonly first: FirstFrames;
}

export interface Self {
  readonly name: string;
  readonly keys: KeyPair;
}

/**
 * The dialer's first half: a channel, and the listener's proof. Nothing of this device is told yet.
 * Throws ClientError `offline`, `timeout`, `not-a-peer`, `peer-unproven`.
 */
export async function meetListener(url: string, socketOf: PeerSocketFactory): Promise<Meeting> {
  const socket = openSocket(url, socketOf);
  return inTime(socket, async () => {
    const hello = await firstMessage(socket);
    const { clientHello, channel } = await answerServerHello(hello, { onNewPin: () => true }).catch((error: unknown) => {
      throw new ClientError('not-a-peer', `what answers there is no Sotto peer (${error instanceof Error ? error.message : 'no hello'})`);
    });
    const link = Link.over(socket, channel);
    const first = new FirstFrames(link);
    socket.send(clientHello);
    const peer = await provenIdentity(await first.next('peerProof'), 'peerListener', link.binding);
    return { link, peer, first };
  });
}

/** The dialer's second half, once it knows whom it has before it. Throws ClientError `not-admitted`, `offline`. */
export async function introduce({ link, first }: Meeting, { name, keys }: Self): Promise<void> {
  await inTime(link.socket, async () => {
    first.proven();
    link.send({ case: 'peerProof', value: prove(name, keys, 'peerDialer', link.binding) });
    const { error }: PeerAdmission = await first.next('peerAdmission');
    // The words of the other end are its own, and not shown.
    if (error !== undefined)
      throw new ClientError('not-admitted', 'the other end does not let you in: it knows your name with another key, or takes nobody new');
  });
}

/** The listener's side until the dialer has proven who it is; whether it is admitted is still to be said. Throws ClientError. */
export async function meetDialer(socket: Socket, { name, keys }: Self): Promise<Meeting> {
  return inTime(socket, async () => {
    const link = Link.over(socket, await acceptedChannel(socket));
    const first = new FirstFrames(link);
    link.send({ case: 'peerProof', value: prove(name, keys, 'peerListener', link.binding) });
    const peer = await provenIdentity(await first.next('peerProof'), 'peerDialer', link.binding);
    first.proven();
    if (first.rest().length > 0) throw new ClientError('not-a-peer', 'the dialer speaks before it is admitted');
    return { link, peer, first };
  });
}

async function acceptedChannel(socket: Socket): Promise<SealedChannel> {
  const handshake = await ServerHandshake.start(passingIdentity());
  const answer = new Promise<unknown>((resolve, reject) => {
    const fail = () => reject(new ClientError('offline', 'the dialer has gone'));
    socket.onclose = fail;
    socket.onerror = fail;
    socket.onmessage = ({ data }) => {
      // A dialer says nothing more before it has the listener's proof.
      socket.onmessage = fail;
      resolve(data);
    };
  });
  socket.send(handshake.hello);
  return handshake.accept(bytesOf(await answer));
}

/** Of this connection alone: the listener's own key is told inside the channel, so that it links no two connections for those who watch. */
function passingIdentity(): GatewayIdentity {
  const { publicKey, secretKey } = makeGatewayKey();
  const now = Math.floor(Date.now() / 1_000);
  const times = { notBefore: BigInt(now - CERTIFICATE_AROUND_NOW), notAfter: BigInt(now + CERTIFICATE_AROUND_NOW) };
  return {
    certificate: signCertificate({ gatewayKey: publicKey, identityKey: publicKey, ...times }, secretKey),
    gatewaySigningKey: secretKey,
  };
}

/** Ends the connection when a half of the handshake fails, or takes too long. */
async function inTime<T>(socket: Socket, work: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ClientError('timeout', 'nobody there spoke as a Sotto peer in time')), TIMES.peerHandshakeMs);
  });
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    socket.onmessage = null;
    socket.onerror = () => undefined;
    socket.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
