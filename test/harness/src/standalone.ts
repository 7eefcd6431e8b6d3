import { join } from 'node:path';
import { loadOrCreateServerIdentity } from '@sotto/auth/invites';
import { freePort } from '@sotto/testing';
import { inviteOf } from './server-seed.js';
import { type Parts, type Run, settingsOf, type TopologyOptions, UNOPTIMISED_WASM } from './topology.js';

/** All in one process, on a data folder of its own that outlives a restart. */
export async function startStandalone(folder: string, options: TopologyOptions, run: Run): Promise<Parts> {
  const data = join(folder, 'data');
  const port = await freePort();
  const standalone = await run({
    name: 'standalone',
    environment: { SOTTO_FOLDER: data, GATEWAY_PORT: String(port), ...settingsOf(options) },
    nodeArguments: options.nodeArguments ?? UNOPTIMISED_WASM,
    port,
    ready: { port, path: '/', status: 426 },
  });
  const identity = await loadOrCreateServerIdentity(data);
  return {
    port,
    pin: identity.pin,
    processes: new Map([['standalone', standalone]]),
    createInvite: (name) => Promise.resolve(inviteOf(identity, name)),
  };
}
