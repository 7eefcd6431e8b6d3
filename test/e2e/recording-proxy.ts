import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { formsOf } from './needle.js';

export interface Recording {
  readonly toServer: Buffer[];
  readonly toClient: Buffer[];
}

/** Stands where a TLS-terminating proxy would: passes every byte on and keeps a copy. */
export class RecordingProxy {
  readonly recordings: Recording[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async before(target: string): Promise<RecordingProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const proxy = new RecordingProxy(server, `ws://127.0.0.1:${address.port}`);
    server.on('connection', (client) => proxy.pass(client, Number(new URL(target).port)));
    return proxy;
  }

  /** What crossed, both ways, all connections: requests and answers to upgrade, and what WebSocket messages carry. */
  get read(): Buffer {
    const ways = this.recordings.flatMap(({ toServer, toClient }) => [toServer, toClient].map((each) => Buffer.concat(each)));
    return Buffer.concat(ways.flatMap((bytes) => [bytes.subarray(0, startOfMessages(bytes)), ...messagesIn(bytes)]));
  }

  /** Which of these crossed in clear, in any form in which software writes bytes down. */
  found(secrets: Readonly<Record<string, Uint8Array | string>>): string[] {
    const { read } = this;
    return Object.keys(secrets).filter((what) => formsOf(Buffer.from(secrets[what]!)).some((form) => read.includes(form)));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private pass(client: Socket, port: number): void {
    const recording: Recording = { toServer: [], toClient: [] };
    this.recordings.push(recording);
    const server = connect(port, '127.0.0.1');
    for (const [from, to, kept] of [
      [client, server, recording.toServer],
      [server, client, recording.toClient],
    ] as const) {
      this.sockets.add(from);
      from.on('data', (bytes) => {
        kept.push(bytes);
        to.write(bytes);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  }
}

function startOfMessages(bytes: Buffer): number {
  const end = bytes.indexOf('\r\n\r\n');
  return end < 0 ? bytes.length : end + 4;
}

/** The payloads of the WebSocket frames that follow an upgrade (RFC 6455 §5.2); what a client sends is masked, and unmasked here. */
export function messagesIn(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  let rest = bytes.subarray(startOfMessages(bytes));
  for (let frame = firstFrame(rest); frame !== undefined; frame = firstFrame(rest)) {
    messages.push(frame.payload);
    rest = rest.subarray(frame.end);
  }
  return messages;
}

/** Undefined when its header is not there as a whole. Of a payload, what is there. */
function firstFrame(bytes: Buffer): { payload: Buffer; end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1]! & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const maskBytes = (bytes[1]! & 0x80) === 0 ? 0 : 4;
  const start = 2 + lengthBytes + maskBytes;
  if (bytes.length < start) return undefined;
  const length = lengthBytes === 0 ? short : Number(BigInt(`0x${bytes.toString('hex', 2, 2 + lengthBytes)}`));
  const mask = bytes.subarray(start - maskBytes, start);
  const payload = Buffer.from(bytes.subarray(start, start + length));
  if (maskBytes > 0) payload.forEach((byte, i) => (payload[i] = byte ^ mask[i % 4]!));
  return { payload, end: start + length };
}

/** A client without a channel, whom the server shuts out for that. */
export async function saysInClear(url: string, subprotocol: string, secrets: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  const client = new WebSocket(url, subprotocol, { perMessageDeflate: false });
  await once(client, 'message');
  for (const secret of Object.values(secrets)) client.send(secret);
  await once(client, 'close');
}
