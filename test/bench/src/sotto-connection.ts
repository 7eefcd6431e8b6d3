import { create, type DescMethodUnary, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { ClientHandshake, makeGatewayKey, type SealedChannel, type SigningKeyPair } from '@sotto/channel';
import { Accounts, CallSchema, type DeviceCredential, methodName, ReplySchema, type Session, Sessions, signedBytes } from '@sotto/protocol';
import { forEachFrame, FrameKind, wrapFrame } from '@sotto/protocol/frames';
import sodium from 'libsodium-wrappers';
import { WebSocket } from 'ws';
import type { Traffic } from './pairs.js';

/** Each is another address towards the server, which counts calls by address: it trusts this machine as a proxy. */
let nextAddress = 1;

/** Well below what the server takes for a dead connection. */
const HEARTBEAT_MS = 20_000;
const PING = wrapFrame(FrameKind.PING, new Uint8Array(0));

/** What is needed to come back as the same device. */
export interface KnownDevice {
  credential: DeviceCredential;
  deviceAuthKey: SigningKeyPair;
}

/** What is needed to log in as a further device. */
export interface Password {
  name: string;
  password: string;
}

/** What has crossed all of them, both ways. */
export function trafficOf(connections: readonly SottoConnection[]): Traffic {
  const sumOf = (what: keyof Traffic) => connections.reduce((sum, one) => sum + one[what], 0);
  return { frames: sumOf('frames'), boxes: sumOf('boxes') };
}

/** A connection of the load: channel, calls, and frames that gather for one turn of the event loop. */
export class SottoConnection {
  device: Uint8Array = new Uint8Array(0);
  readonly deliveryKey = sodium.randombytes_buf(32);
  closed = false;
  frames = 0;
  boxes = 0;
  onFrame: (kind: number, message: Uint8Array) => void = () => undefined;
  private readonly calls = new Map<number, { resolve: (body: Uint8Array) => void; reject: (error: Error) => void }>();
  private nextCall = 1;
  private parts: Uint8Array[] = [];
  private length = 0;

  private constructor(
    private readonly socket: WebSocket,
    private readonly channel: SealedChannel,
  ) {
    socket.on('message', (box: Buffer) => this.receive(box));
    socket.on('close', (code) => this.fail(new Error(`the server closed the connection (${code})`)));
    const heartbeat = setInterval(() => this.write(PING), HEARTBEAT_MS);
    socket.on('close', () => clearInterval(heartbeat));
  }

  static async open(url: string, pin: Uint8Array): Promise<SottoConnection> {
    const number = nextAddress++;
    const headers = { 'x-forwarded-for': `10.${number >>> 16}.${(number >>> 8) & 255}.${number & 255}` };
    const socket = new WebSocket(url, 'sotto.v1', { perMessageDeflate: false, headers });
    const hello = await new Promise<Uint8Array>((resolve, reject) => {
      socket.once('message', resolve);
      socket.once('error', reject);
      socket.once('close', (code) => reject(new Error(`closed before its hello (${code})`)));
    });
    socket.removeAllListeners('close');
    const { clientHello, channel } = await ClientHandshake.answer(new Uint8Array(hello), { pin, now: Date.now() / 1_000 });
    socket.send(clientHello);
    return new SottoConnection(socket, channel);
  }

  /** A new account, of which this connection is the first device. */
  async register(): Promise<KnownDevice & { password: Password }> {
    const identity = makeGatewayKey();
    const deviceAuthKey = makeGatewayKey();
    const signed = signedBytes('register', deviceAuthKey.publicKey, this.channel.binding);
    const name = `load_${Buffer.from(sodium.randombytes_buf(8)).toString('hex')}`;
    const password = Buffer.from(sodium.randombytes_buf(12)).toString('hex');
    const session = await this.call(Accounts.method.register, {
      name,
      password,
      identityKey: identity.publicKey,
      deviceAuthKey: deviceAuthKey.publicKey,
      identitySignature: sodium.crypto_sign_detached(signed, identity.secretKey),
    });
    await this.attach(session);
    if (session.credential === undefined) throw new Error('registered without a device credential');
    return { credential: session.credential, deviceAuthKey, password: { name: session.name, password } };
  }

  /** As a device that waits to be confirmed. */
  async logIn({ name, password }: Password): Promise<void> {
    await this.attach(await this.call(Accounts.method.logIn, { name, password, deviceAuthKey: makeGatewayKey().publicKey }));
  }

  async resume({ credential, deviceAuthKey }: KnownDevice): Promise<void> {
    const proof = sodium.crypto_sign_detached(signedBytes('resume', this.channel.binding), deviceAuthKey.secretKey);
    await this.attach(await this.call(Accounts.method.resume, { credential, proof }));
  }

  /** Puts an entry of Frames into the next box. */
  write(frame: Uint8Array): void {
    if (this.parts.length === 0) setImmediate(this.flush);
    this.parts.push(frame);
    this.length += frame.length;
    this.frames++;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.socket.once('close', () => resolve());
      this.socket.close();
    });
  }

  private async attach(session: Session): Promise<void> {
    this.device = session.device;
    await this.call(Sessions.method.attach, { accessToken: session.accessToken, deliveryKey: this.deliveryKey });
  }

  private async call<M extends DescMethodUnary>(method: M, request: MessageInitShape<M['input']>): Promise<MessageShape<M['output']>> {
    const id = this.nextCall++;
    const body = toBinary(method.input, create(method.input, request));
    const answer = new Promise<Uint8Array>((resolve, reject) => this.calls.set(id, { resolve, reject }));
    this.write(wrapFrame(FrameKind.CALL, toBinary(CallSchema, create(CallSchema, { id, method: methodName(method), body }))));
    return fromBinary(method.output, await answer) as MessageShape<M['output']>;
  }

  private readonly flush = (): void => {
    const { parts, length } = this;
    this.parts = [];
    this.length = 0;
    this.boxes++;
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(this.channel.seal(parts, length));
  };

  private receive(box: Uint8Array): void {
    this.boxes++;
    const frames = this.channel.open(box);
    forEachFrame(frames, (kind, start, end) => {
      this.frames++;
      const message = frames.subarray(start, end);
      if (kind === FrameKind.REPLY) this.reply(message);
      else this.onFrame(kind, message);
    });
  }

  private reply(message: Uint8Array): void {
    const { id, body, error } = fromBinary(ReplySchema, message);
    const call = this.calls.get(id);
    this.calls.delete(id);
    if (error === undefined) call?.resolve(body);
    else call?.reject(new Error(`the server refused a call: ${error.text}`));
  }

  private fail(error: Error): void {
    this.closed = true;
    for (const call of this.calls.values()) call.reject(error);
    this.calls.clear();
  }
}

/** The right to send to the connection's device. */
export function tokenFor({ deliveryKey }: SottoConnection): Uint8Array {
  const capability = sodium.randombytes_buf(16);
  return new Uint8Array([...capability, ...sodium.crypto_generichash(16, capability, deliveryKey)]);
}
