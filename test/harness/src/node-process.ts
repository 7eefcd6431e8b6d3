import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { runServer, type RunningServer, temporaryFolder } from '@sotto/testing';

/** The embedded database's first start takes 2 to 9 s of CPU, and tests share the machine. */
export const READY_WITHIN_MS = 90_000;

export interface NodeCommand {
  /** Name of the app; its bundle is `test/harness/dist/servers/<name>.js`. */
  name: string;
  environment: Record<string, string>;
  nodeArguments: string[];
  port: number;
  /** What its ready path answers once it can be used. */
  ready: { port: number; path: string; status: number };
  /** Where it runs and logs; a temporary folder when undefined. */
  folder?: string;
  /** SIGTERM when undefined. */
  stopSignal?: NodeJS.Signals;
}

/** An app's own process on a fixed port, so that it is found at the same address after a restart. Its output is in `log` of its folder. */
export async function runApp(command: NodeCommand): Promise<RunningServer> {
  return runServer({
    program: process.execPath,
    args: [...command.nodeArguments, fileURLToPath(new URL(`./servers/${command.name}.js`, import.meta.url))],
    environment: { NODE_ENV: 'production', ...command.environment },
    url: `ws://127.0.0.1:${command.port}`,
    port: command.port,
    folder: command.folder ?? (await temporaryFolder(command.name)),
    stopSignal: command.stopSignal ?? 'SIGTERM',
    readyWithinMs: READY_WITHIN_MS,
    isReady: () => isReady(command),
  });
}

export async function isReady({ ready: { port, path, status } }: NodeCommand): Promise<boolean> {
  return (await statusOf(port, path)) === status;
}

/** Status of a GET on loopback; 0 while nobody answers. */
function statusOf(port: number, path: string): Promise<number> {
  return new Promise((done) => {
    const asking = request({ host: '127.0.0.1', port, path, timeout: 1_000, agent: false }, (response) => {
      response.resume();
      done(response.statusCode ?? 0);
    });
    asking.on('error', () => done(0));
    asking.on('timeout', () => asking.destroy());
    asking.end();
  });
}
