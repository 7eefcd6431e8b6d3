import { join } from 'node:path';
import { toHex } from '@sotto/protocol';
import { encodeJoinLink } from '@sotto/terminal';
import { type Server, startServer, startTopology } from '../../harness/dist/index.js';
import { JsonProcess } from './json-process.js';

export interface DemoServer {
  readonly port: number;
  readonly pin: string;
  /** A link for one person of that name. */
  invite(name: string): Promise<string>;
  stop(): Promise<void>;
}

export const HOST = '127.0.0.1';

export interface HostOptions {
  /** Most open connections. */
  readonly size?: number;
  /** The port of a server that was stopped; any free one without it. */
  readonly port?: number;
  readonly program?: string | undefined;
}

/** One process, by the command that people use; once more on the folder of a server that was stopped it is that server. */
export async function hostStandalone(
  folder: string,
  retryWindowSeconds: number,
  { size = 10, port: wanted = 0, program }: HostOptions = {},
): Promise<DemoServer> {
  const data = join(folder, 'server');
  const options = ['-p', String(wanted), '-s', String(size), '--data', data, '--retry-window', String(retryWindowSeconds)];
  const host = new JsonProcess('the server', ['host', ...options], program);
  const { port, pin } = await host.hears('listening', {}, 90);
  return {
    port: Number(port),
    pin: String(pin),
    invite: async (name) => {
      const invite = new JsonProcess('sotto invite', ['invite', name, '--data', data], program);
      return String((await invite.hears('invite'))['link']);
    },
    stop: () => host.ends('SIGTERM'),
  };
}

/** The five services in processes of their own, over real NATS, Redis and PostgreSQL. */
export async function hostServices(retryWindowSeconds: number): Promise<DemoServer> {
  return withLinks(await startTopology('services', { retryWindowSeconds, registration: 'invite' }));
}

/** For stories in which nobody cares how the server came to be: it is no `sotto host`, and nobody runs `sotto invite`. */
export async function anyServer(retryWindowSeconds: number): Promise<DemoServer> {
  return withLinks(await startServer('standalone', { retryWindowSeconds }));
}

function withLinks(server: Server): DemoServer {
  const port = Number(new URL(server.url).port);
  const pin = toHex(server.pin);
  return {
    port,
    pin,
    invite: async (name) => encodeJoinLink({ host: HOST, port, pin, invite: await server.createInvite(name), name }),
    stop: () => server.stop(),
  };
}
