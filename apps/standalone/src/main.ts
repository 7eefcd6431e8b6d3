import { optionsOf } from './options-of.js';
import { startStandalone } from './standalone.js';

try {
  const server = await startStandalone(optionsOf(process.env));
  process.stdout.write(`${JSON.stringify({ port: server.port, pin: server.pin, pid: process.pid })}\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.stop().then(() => process.exit(0)));
} catch (error) {
  process.stderr.write(`standalone: ${error instanceof Error ? error.message : 'failed'}\n`);
  process.exit(1);
}
