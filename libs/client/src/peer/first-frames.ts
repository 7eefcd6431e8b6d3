import { type Frame, LIMITS } from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import type { Link } from '../connection/link.js';

/** More than a peer has to say before it is admitted; one that is may already send messages in the box behind its last word. */
const MOST_FRAMES = 256;

type Kind = NonNullable<Frame['kind']['case']>;
type ValueOf<K extends Kind> = Extract<Frame['kind'], { case: K }>['value'];

/** What is said on a link before both ends know each other: one frame is waited for at a time, the rest waits for whoever takes over. */
export class FirstFrames {
  #frames: Frame[] = [];
  #ended: ClientError | undefined;
  #wake: () => void = () => undefined;

  constructor(private readonly link: Link) {
    link.mostBoxBytes = LIMITS.unprovenPeerBytes;
    link.listen({
      onFrames: (frames) => this.#heard(frames),
      onClosed: (error) => {
        this.#ended = error;
        this.#wake();
      },
    });
  }

  /** The next frame, if it is of this kind. Throws ClientError. */
  async next<K extends Kind>(kind: K): Promise<ValueOf<K>> {
    while (this.#frames.length === 0) {
      if (this.#ended !== undefined) throw this.#ended;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const frame = this.#frames.shift()!.kind;
    if (frame.case !== kind) throw new ClientError('not-a-peer', 'the other end does not keep to the protocol of peers');
    return frame.value as ValueOf<K>;
  }

  /** The other end is known: it may say more at a time. */
  proven(): void {
    this.link.mostBoxBytes = LIMITS.boxBytes;
  }

  /** What has come behind. */
  rest(): Frame[] {
    return this.#frames.splice(0);
  }

  #heard(frames: Frame[]): void {
    this.#frames.push(...frames);
    if (this.#frames.length > MOST_FRAMES) this.link.close(new ClientError('offline', 'the other end says too much too early'));
    this.#wake();
  }
}
