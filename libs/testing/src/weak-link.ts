import { connect, createServer, type Server, type Socket } from 'node:net';

interface Pair {
  near: Socket;
  far: Socket | undefined;
  silent: boolean;
}

/** A way to a server of this machine that fails as a network does. */
export class WeakLink {
  private readonly pairs = new Set<Pair>();
  private isSilent = false;

  private constructor(
    private readonly server: Server,
    private readonly target: number,
  ) {
    server.on('connection', (near) => this.pass(near));
  }

  /** To this loopback port. */
  static async to(target: number): Promise<WeakLink> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new WeakLink(server, target);
  }

  /** The loopback port by which the server is reached. */
  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return address.port;
  }

  /** Half-open: nothing crosses any more, and neither end is told. So it is for connections that are made meanwhile. */
  silence(): void {
    this.isSilent = true;
    for (const pair of this.pairs) pair.silent = true;
  }

  /** New connections reach the server again. Those that were silent stay so, as where what stands between has forgotten them. */
  mend(): void {
    this.isSilent = false;
  }

  /** Breaks all connections, and both ends are told. */
  cut(): void {
    for (const { near, far } of this.pairs) {
      near.destroy();
      far?.destroy();
    }
    this.pairs.clear();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private pass(near: Socket): void {
    const pair: Pair = { near, far: undefined, silent: this.isSilent };
    this.pairs.add(pair);
    if (pair.silent) return void near.on('error', () => undefined).resume();
    const far = (pair.far = connect(this.target, '127.0.0.1'));
    join(pair, near, far);
    join(pair, far, near);
  }
}

function join(pair: Pair, from: Socket, to: Socket): void {
  from.on('data', (bytes) => pair.silent || to.write(bytes));
  from.on('error', () => undefined);
  from.on('close', () => pair.silent || to.destroy());
}
