import { create, type DescMethodUnary, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { blake2b } from '@noble/hashes/blake2.js';
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { ClientHandshake, type SealedChannel } from '@sotto/channel';
import {
  Accounts,
  type AttachResponse,
  CallSchema,
  type ErrorCode,
  type Frame,
  FrameSchema,
  FramesSchema,
  KeyPackages,
  methodName,
  type Reply,
  type Session,
  Sessions,
  signedBytes,
} from '@sotto/protocol';
import { type ClientOptions, WebSocket } from 'ws';

export const PASSWORD = 'a long enough phrase';

/** What the server said when it closed. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** The protocol with nothing between: for what the SDK would not do, and for the exact bytes of a reply. */
export class WireClient {
  readonly closed: Promise<Closing>;
  readonly frames: Frame[] = [];
  private readonly replies = new Map<number, (reply: Reply) => void>();
  private calls = 0;

  private constructor(
    readonly socket: WebSocket,
    readonly channel: SealedChannel,
  ) {
    this.closed = new Promise((resolve) => socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })));
    socket.on('message', (data: Buffer) => this.receive(data));
  }

  static async connect(url: string, pin: Uint8Array, options: ClientOptions = {}): Promise<WireClient> {
    const socket = new WebSocket(url, 'sotto.v1', options);
    const hello = await firstMessage(socket);
    const { clientHello, channel } = await ClientHandshake.answer(hello, { pin, now: Date.now() / 1_000 });
    socket.send(clientHello);
    return new WireClient(socket, channel);
  }

  send(kind: NonNullable<MessageInitShape<typeof FrameSchema>['kind']>): void {
    const frames = create(FramesSchema, { frames: [create(FrameSchema, { kind })] });
    this.socket.send(this.channel.seal(toBinary(FramesSchema, frames)));
  }

  /** The reply as it came, error or not. */
  reply(method: string, body: Uint8Array): Promise<Reply> {
    const id = ++this.calls;
    return new Promise((resolve, reject) => {
      this.replies.set(id, resolve);
      void this.closed.then(({ code, reason }) => reject(new Error(`closed with ${code} ${reason}`)));
      this.send({ case: 'call', value: create(CallSchema, { id, method, body }) });
    });
  }

  ask<M extends DescMethodUnary>(method: M, request: MessageInitShape<M['input']>): Promise<Reply> {
    return this.reply(methodName(method), toBinary(method.input, create(method.input, request as never)));
  }

  /** Code of the error that the call ends in; undefined when there is none. */
  async errorOf<M extends DescMethodUnary>(method: M, request: MessageInitShape<M['input']>): Promise<ErrorCode | undefined> {
    return (await this.ask(method, request)).error?.code;
  }

  async call<M extends DescMethodUnary>(method: M, request: MessageInitShape<M['input']>): Promise<MessageShape<M['output']>> {
    const { body, error } = await this.ask(method, request);
    if (error !== undefined) throw new Error(`${methodName(method)}: ${error.text}`);
    return fromBinary(method.output, body) as MessageShape<M['output']>;
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }

  private receive(box: Buffer): void {
    for (const frame of fromBinary(FramesSchema, this.channel.open(box)).frames) {
      if (frame.kind.case !== 'reply') this.frames.push(frame);
      else this.replies.get(frame.kind.value.id)?.(frame.kind.value);
    }
  }
}

export interface WireDevice {
  readonly client: WireClient;
  readonly session: Session;
  readonly deliveryKey: Uint8Array;
  readonly authKey: KeyObject;
}

interface Server {
  readonly url: string;
  readonly pin: Uint8Array;
  createInvite(name?: string): Promise<string>;
}

/** A request to register as it must be, signed for this connection. */
export function registerRequest(client: WireClient, name: string, invite: string, deviceAuth = generateKeyPairSync('ed25519')) {
  const identity = generateKeyPairSync('ed25519');
  const device = rawPublicKey(deviceAuth.publicKey);
  const identitySignature = sign(null, signedBytes('register', device, client.channel.binding), identity.privateKey);
  return { name, password: PASSWORD, invite, identityKey: rawPublicKey(identity.publicKey), deviceAuthKey: device, identitySignature };
}

/** Registers with a new invite for the name, and attaches. */
export async function wireDevice(server: Server, name: string): Promise<WireDevice> {
  const invite = await server.createInvite(name);
  const client = await WireClient.connect(server.url, server.pin);
  const deviceAuth = generateKeyPairSync('ed25519');
  const session = await client.call(Accounts.method.register, registerRequest(client, name, invite, deviceAuth));
  const deliveryKey = randomBytes(32);
  await client.call(Sessions.method.attach, { accessToken: session.accessToken, deliveryKey });
  return { client, session, deliveryKey, authKey: deviceAuth.privateKey };
}

/** One-time key packages that hold nothing but the token inside them: the server does not look. */
export async function publishTokens(device: WireDevice, count: number): Promise<void> {
  const expires = BigInt(Math.floor(Date.now() / 1_000) + 3_600);
  const tokens = Array.from({ length: count }, () => tokenFor(device));
  const oneTime = tokens.map((token) => ({ keyPackage: token, cipherSuite: 1, expires, capability: token.subarray(0, 16) }));
  await device.client.call(KeyPackages.method.publish, { oneTime });
}

/** The same device on a new connection, which names no revoked capabilities; what the server said to that. */
export async function wireReturn(server: Server, device: WireDevice): Promise<{ device: WireDevice; attached: AttachResponse }> {
  const { session, deliveryKey, authKey } = device;
  const client = await WireClient.connect(server.url, server.pin);
  const proof = sign(null, signedBytes('resume', client.channel.binding), authKey);
  const { accessToken } = await client.call(Accounts.method.resume, { credential: session.credential!, proof });
  const attached = await client.call(Sessions.method.attach, { accessToken, deliveryKey });
  return { device: { ...device, client }, attached };
}

/** The right to send to the device, as the device itself would make it. */
export function tokenFor({ deliveryKey }: WireDevice, capability: Uint8Array = randomBytes(16)): Uint8Array {
  return Buffer.concat([capability, blake2b(capability, { key: deliveryKey, dkLen: 16 })]);
}

export function rawPublicKey(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(-32));
}

function firstMessage(socket: WebSocket): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    socket.once('message', (data: Buffer) => resolve(new Uint8Array(data)));
    socket.once('error', reject);
    socket.once('close', (code, reason) => reject(new Error(`closed with ${code} ${reason.toString()}`)));
  });
}
