import { connect, createServer, type Server, type Socket } from 'node:net';

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

  /** Everything that crossed, both ways, all connections. */
  get bytes(): Buffer {
    return Buffer.concat(this.recordings.flatMap(({ toServer, toClient }) => [...toServer, ...toClient]));
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

/** The payloads of the WebSocket messages that a client sent after its upgrade request (RFC 6455 §5.2), unmasked. */
export function clientMessages(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  let at = bytes.indexOf('\r\n\r\n') + 4;
  while (at + 6 <= bytes.length) {
    let length = bytes[at + 1]! & 0x7f;
    at += 2;
    if (length === 126) {
      length = bytes.readUInt16BE(at);
      at += 2;
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(at));
      at += 8;
    }
    const mask = bytes.subarray(at, at + 4);
    at += 4;
    messages.push(Buffer.from(bytes.subarray(at, at + length).map((byte, i) => byte ^ mask[i % 4]!)));
    at += length;
  }
  return messages;
}
