import { create, type DescMethodUnary, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { MAX_FRAMES_BYTES, type SealedChannel } from '@sotto/channel';
import { CallSchema, type Frame, FrameSchema, FramesSchema, LIMITS, methodName, type Reply } from '@sotto/protocol';
import { ClientError, ServerError, ServerBusyError } from '../client-error.js';
import { answerServerHello, type PinPolicy } from './handshake.js';
import { type Socket, type SocketFactory, SUBPROTOCOL } from './socket.js';

export const HANDSHAKE_TIMEOUT_MS = 15_000;
export const CALL_TIMEOUT_MS = 15_000;
/** So much has come while a call waited: its answer may be on its way behind what a slow line has yet to bring. */
const BUSY_BYTES = 64 * 1024;
/** How often a call waits as long again for that. */
const MOST_EXTENSIONS = 7;

interface OpenCall {
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  timer: ReturnType<typeof setTimeout>;
}

export interface LinkHandlers {
  /** All frames of one box but replies and pongs, in order. */
  onFrames(frames: Frame[]): void;
  onClosed(error: ClientError): void;
}

const turn = (globalThis as { setImmediate?: (step: () => void) => void }).setImmediate;
/** Runs at the end of this turn of the event loop, so that its frames share a box. */
const atEndOfTurn: (step: () => void) => void = turn ?? ((step) => void setTimeout(step, 0));

/** One connection after its handshake: frames in sealed boxes, calls, heartbeat. Ends once and for all. */
export class Link {
  /** A larger box ends the link: less while nothing is known of the other end. */
  mostBoxBytes: number = LIMITS.boxBytes;
  /** With more that the other end has not read, the link ends. */
  mostUnsentBytes = Number.POSITIVE_INFINITY;
  readonly #calls = new Map<number, OpenCall>();
  #nextCall = 1;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #flushing = false;
  #closed: ClientError | undefined;
  #heard = Date.now();
  /** Bytes, as boxes. */
  #received = 0;
  #spoke = Date.now();
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  /** Not heard before they are set: what comes earlier waits. */
  #handlers: LinkHandlers | undefined;
  #early: Frame[] = [];
  #end: (error: ClientError) => void = () => undefined;
  /** Resolves once it is closed, with the reason. */
  readonly ended = new Promise<ClientError>((resolve) => (this.#end = resolve));

  private constructor(
    readonly socket: Socket,
    readonly channel: SealedChannel,
    /** Lower-case hex. */
    readonly pin: string,
  ) {
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => this.close(new ClientError('offline', `the connection was closed (${code})`), false);
    socket.onerror = () => this.close(new ClientError('offline', 'the connection failed'));
  }

  static async open(url: string, socketOf: SocketFactory, policy: PinPolicy): Promise<Link> {
    const socket = socketOf(url, SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    try {
      const { clientHello, channel, pin } = await answerServerHello(await firstMessage(socket), policy);
      const link = new Link(socket, channel, pin);
      socket.send(clientHello);
      return link;
    } catch (error) {
      socket.onclose = socket.onmessage = null;
      socket.onerror = () => undefined;
      socket.close();
      throw error;
    }
  }

  /** Over a channel that is open already. @param pin of who is at the other end, as far as it is known */
  static over(socket: Socket, channel: SealedChannel, pin = ''): Link {
    return new Link(socket, channel, pin);
  }

  /** What a signature must cover to be meant for this connection alone. 32 bytes. */
  get binding(): Uint8Array {
    return this.channel.binding;
  }

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  listen(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    const early = this.#early.splice(0);
    if (early.length > 0) handlers.onFrames(early);
    if (this.#closed !== undefined) handlers.onClosed(this.#closed);
  }

  /** Silence of more than `silenceMs` ends the link; speaks at a third of it. */
  startHeartbeat(silenceMs: number): void {
    const beat = Math.max(1, Math.floor(silenceMs / 3));
    clearInterval(this.#heartbeat);
    this.#heard = Date.now();
    this.#heartbeat = setInterval(() => {
      const now = Date.now();
      if (now - this.#heard > silenceMs) this.close(new ClientError('offline', 'the other end fell silent'));
      else if (now - this.#spoke >= beat || now - this.#heard >= beat) this.send({ case: 'ping', value: { nonce: 0 } });
    }, beat);
  }

  send(kind: NonNullable<MessageInitShape<typeof FrameSchema>['kind']>): void {
    if (this.#closed !== undefined) return;
    const part = toBinary(FramesSchema, create(FramesSchema, { frames: [create(FrameSchema, { kind })] }));
    // The concatenation of serialised Frames is the serialised Frames of all of them (protobuf encoding, "last one wins / concatenate").
    if (this.#bytes + part.length > MAX_FRAMES_BYTES) this.#flush();
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#flushing) return;
    this.#flushing = true;
    atEndOfTurn(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  async call<M extends DescMethodUnary>(
    method: M,
    request: MessageInitShape<M['input']>,
    timeoutMs = CALL_TIMEOUT_MS,
  ): Promise<MessageShape<M['output']>> {
    const body = toBinary(method.input, create(method.input, request as never));
    if (body.length > LIMITS.callBytes) throw new ClientError('too-long', `${methodName(method)} is longer than a call may be`);
    return fromBinary(method.output, await this.#callBytes(methodName(method), body, timeoutMs)) as MessageShape<M['output']>;
  }

  #callBytes(method: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) return reject(this.#closed);
      const id = this.#nextCall++;
      this.#calls.set(id, { resolve, reject, timer: this.#callTimer(id, timeoutMs, MOST_EXTENSIONS) });
      this.send({ case: 'call', value: create(CallSchema, { id, method, body }) });
    });
  }

  #callTimer(id: number, timeoutMs: number, extensions: number): OpenCall['timer'] {
    const before = this.#received;
    return setTimeout(() => {
      const call = this.#calls.get(id)!;
      if (extensions > 0 && this.#received - before >= BUSY_BYTES) {
        call.timer = this.#callTimer(id, timeoutMs, extensions - 1);
        return;
      }
      this.#calls.delete(id);
      call.reject(new ClientError('timeout', 'the other end did not answer in time: try again'));
    }, timeoutMs);
  }

  close(error: ClientError, closeSocket = true): void {
    if (this.#closed !== undefined) return;
    if (error.reason === 'closed') this.#flush();
    if (this.closed) return;
    this.#closed = error;
    clearInterval(this.#heartbeat);
    this.channel.close();
    this.socket.onmessage = null;
    this.socket.onclose = null;
    if (closeSocket) this.socket.close();
    for (const { reject, timer } of this.#calls.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#calls.clear();
    this.#end(error);
    this.#handlers?.onClosed(error);
  }

  #flush(): void {
    if (this.#closed !== undefined || this.#parts.length === 0) return;
    const box = this.channel.seal(this.#parts, this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
    this.#spoke = Date.now();
    this.socket.send(box);
    if ((this.socket.bufferedAmount ?? 0) > this.mostUnsentBytes) this.#drop(new ClientError('offline', 'the other end does not read'));
  }

  /** A close in good manners would wait for the other end to read everything first, and hold it here. */
  #drop(error: ClientError): void {
    this.close(error, this.socket.terminate === undefined);
    this.socket.terminate?.();
  }

  #receive(data: unknown): void {
    const frames = this.#open(data);
    if (frames === undefined) return;
    this.#heard = Date.now();
    const rest: Frame[] = [];
    for (const frame of frames) {
      if (frame.kind.case === 'reply') this.#reply(frame.kind.value);
      else if (frame.kind.case !== 'pong' && frame.kind.case !== undefined) rest.push(frame);
    }
    if (rest.length === 0) return;
    if (this.#handlers === undefined) this.#early.push(...rest);
    else this.#handlers.onFrames(rest);
  }

  #open(data: unknown): Frame[] | undefined {
    try {
      const box = bytesOf(data);
      if (box.length > this.mostBoxBytes) throw new RangeError('too large');
      this.#received += box.length;
      return fromBinary(FramesSchema, this.channel.open(box)).frames;
    } catch {
      this.close(new ClientError('offline', 'the other end sent what could not be opened'));
      return undefined;
    }
  }

  #reply({ id, body, error }: Reply): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    clearTimeout(call.timer);
    if (error === undefined) call.resolve(body);
    else call.reject(new ServerError(error));
  }
}

export function bytesOf(data: unknown): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (data instanceof Uint8Array) return data;
  throw new TypeError('not binary');
}

/** RFC 6455 §7.4.1 and IANA's registry: the server takes no further connection now. */
const TRY_AGAIN_LATER = 1013;

/** Throws ClientError `offline` or `timeout`. */
export function firstMessage(socket: Socket): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new ClientError('timeout', 'the server did not greet in time')), HANDSHAKE_TIMEOUT_MS);
    const fail = (why = new ClientError('offline', 'the server cannot be reached')) => {
      clearTimeout(timer);
      reject(why);
    };
    // The reason's text is not shown: nothing vouches for it yet.
    socket.onclose = ({ code }) => fail(code === TRY_AGAIN_LATER ? new ServerBusyError() : undefined);
    socket.onerror = () => fail();
    socket.onmessage = ({ data }) => {
      clearTimeout(timer);
      try {
        resolve(bytesOf(data));
      } catch {
        fail();
      }
    };
  });
}
