import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hostServices, hostStandalone } from './demo-server.js';
import { playStory } from './story.js';

const RETRY_WINDOW_SECONDS = 3;
const TIMEOUT_MS = 240_000;
const started = Date.now();

function tell(line: string): void {
  process.stdout.write(`${((Date.now() - started) / 1_000).toFixed(1).padStart(6)} s  ${line}\n`);
}

function fail(error: unknown): never {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : 'failed'}\n`);
  process.exit(1);
}

async function demo(services: boolean): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-demo-'));
  try {
    const passwordFile = join(folder, 'password');
    await writeFile(passwordFile, randomBytes(18).toString('base64url'), { mode: 0o600 });
    tell(services ? 'starting the services over NATS, Redis and PostgreSQL' : 'starting a server (sotto host)');
    const server = await (services ? hostServices(RETRY_WINDOW_SECONDS) : hostStandalone(folder, RETRY_WINDOW_SECONDS));
    tell(`the server listens on port ${server.port}, pin ${server.pin}`);
    try {
      await playStory({ server, folder, passwordFile, retryWindowSeconds: RETRY_WINDOW_SECONDS, tell });
    } finally {
      await server.stop();
    }
    tell('everyone left and the server stopped. All of it happened.');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const HELP = `npm run demo -- [options]: two people meet on a server of their own, step by step

  --services  over separate processes of NATS, Redis, PostgreSQL and the five services, instead of one
  --help      this text`;

function chosen() {
  try {
    return parseArgs({ options: { services: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : 'these options cannot be read'}\n\n${HELP}\n`);
    return process.exit(2);
  }
}

const { services, help } = chosen();
if (help) {
  process.stdout.write(`${HELP}\n`);
  process.exit(0);
}
try {
  setTimeout(() => fail(new Error(`not done after ${TIMEOUT_MS / 1_000} s`)), TIMEOUT_MS).unref();
  await demo(services);
  process.exit(0);
} catch (error) {
  fail(error);
}
