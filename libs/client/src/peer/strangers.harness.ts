import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { ClientHandshake, type SealedChannel } from '@sotto/channel';
import { type Frame, FrameSchema, FramesSchema } from '@sotto/protocol';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { type KeyPair, newKeyPair } from '../sodium.js';
import { PEER_SUBPROTOCOL } from './dialing.js';
import { prove } from './peer-identity.js';

type Kind = MessageInitShape<typeof FrameSchema>['kind'];

export function framesOf(...kinds: Kind[]): Uint8Array {
  return toBinary(FramesSchema, create(FramesSchema, { frames: kinds.map((kind) => create(FrameSchema, { kind })) }));
}

/** Speaks to a listener byte by byte, and may say what no client says. */
export class Stranger {
  readonly keys: KeyPair = newKeyPair();
  readonly closed: Promise<unknown>;
  readonly #boxes: Buffer[] = [];
  #wake: () => void = () => undefined;
  #channel: SealedChannel | undefined;

  private constructor(
    readonly socket: WebSocket,
    private readonly hello: Buffer,
  ) {
    this.closed = once(socket, 'close');
    socket.on('message', (box: Buffer) => {
      this.#boxes.push(box);
      this.#wake();
    });
  }

  static async at(url: string): Promise<Stranger> {
    const socket = new WebSocket(url, PEER_SUBPROTOCOL);
    socket.on('error', () => undefined);
    const [hello] = (await once(socket, 'message')) as [Buffer];
    return new Stranger(socket, hello);
  }

  /** Up to the listener's proof. */
  async opensChannel(): Promise<SealedChannel> {
    const { clientHello, channel } = await ClientHandshake.answer(this.hello, { pin: undefined, now: Date.now() / 1_000 });
    this.#channel = channel;
    this.socket.send(clientHello);
    await this.hears();
    return channel;
  }

  /** In by a proof that is good. */
  async isAdmitted(name: string): Promise<void> {
    const { binding } = await this.opensChannel();
    this.says({ case: 'peerProof', value: prove(name, this.keys, 'peerDialer', binding) });
    await this.hears();
  }

  says(...kinds: Kind[]): void {
    this.socket.send(this.#channel!.seal(framesOf(...kinds)));
  }

  /** The next box. */
  async hears(): Promise<Frame['kind'][]> {
    while (this.#boxes.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return fromBinary(FramesSchema, this.#channel!.open(this.#boxes.shift()!)).frames.map(({ kind }) => kind);
  }
}
