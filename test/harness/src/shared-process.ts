// Runs one app for many suites, each with an instance of its own: most of what the server of a test does is what a process does at first.
// Arguments: the app, the socket where suites ask for an instance, and that of the run, with which this process ends.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { ServiceOptions } from '@sotto/platform/service';
import type { z } from 'zod';

type Environment = Readonly<Record<string, string>>;
/** As the app's main does it, without its hold on the process. */
type Start = (env: Environment) => Promise<{ stop(): Promise<void> }>;

const [app = '', door = '', run = ''] = process.argv.slice(2);

async function starterOf(name: string): Promise<Start> {
  if (name === 'standalone') {
    const { optionsOf, startStandalone } = await import('@sotto/standalone');
    return (env) => startStandalone(optionsOf(env));
  }
  const { startService } = await import('@sotto/platform/service');
  const starting =
    <S extends z.ZodObject>(service: ServiceOptions<S>): Start =>
    (env) =>
      startService({ ...service, env });
  const starters: Readonly<Record<string, () => Promise<Start>>> = {
    auth: async () => starting((await import('@sotto/auth')).authService),
    contacts: async () => starting((await import('@sotto/contacts')).contactsService),
    directory: async () => starting((await import('@sotto/directory')).directoryService),
    gateway: async () => starting((await import('@sotto/gateway')).gatewayService),
    relay: async () => starting(atOnceLeaving(await import('@sotto/relay'))),
  };
  return starters[name]!();
}

/** What a relay waits for when it leaves in an orderly way is nothing to a test that is over. */
function atOnceLeaving({ relayConfig, RelayModule, relayService }: typeof import('@sotto/relay')): typeof relayService {
  return { ...relayService, module: (env) => RelayModule.forRoot(relayConfig(env)) };
}

/** One line says the environment, one line answers; the instance lasts as long as the other side keeps the connection. */
async function serve(suite: Socket): Promise<void> {
  const leaves = new Promise((resolve) => suite.once('end', resolve).once('close', resolve).once('error', resolve));
  try {
    const [line] = (await once(createInterface({ input: suite }), 'line')) as [string];
    const start = await starter;
    const instance = await start(JSON.parse(line) as Environment);
    suite.write('{}\n');
    await leaves;
    await instance.stop();
  } catch (error) {
    suite.write(`${JSON.stringify({ error: error instanceof Error ? error.message : 'failed' })}\n`);
  }
  suite.end();
}

const suites = createServer({ allowHalfOpen: true }, (suite) => void serve(suite));
// Two suites may have wanted it at the same time: the other's process is the one.
suites.once('error', () => process.exit(0));
suites.listen(door);
const starter = once(suites, 'listening').then(() => starterOf(app));
connect(run)
  .on('error', () => undefined)
  .on('close', () => process.exit(0));
