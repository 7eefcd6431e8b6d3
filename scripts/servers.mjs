// Makes sure that NATS, Redis and PostgreSQL for the tests are on this machine.
import { SERVER_NAMES, serverBinaries } from '../libs/testing/dist/index.js';

for (const server of SERVER_NAMES) {
  try {
    await serverBinaries(server, (line) => console.log(`servers: ${line}`));
  } catch (error) {
    console.error(`servers: ${error.message}`);
    process.exitCode = 1;
  }
}
