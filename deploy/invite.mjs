// Prints an invite link: docker compose exec auth node deploy/invite.mjs [NAME], or kubectl -n sotto exec deploy/auth -- node deploy/invite.mjs [NAME]
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { BusError, connectNatsBus } from '@sotto/platform/bus';
import { RpcClient } from '@sotto/platform/rpc';
import { Admin } from '@sotto/protocol/internal';

const BUS_WITHIN_MS = 5_000;
const BUS_AWAY = "Is NATS running and healthy? 'docker compose ps nats' or 'kubectl -n sotto get pods' tells; then try again.";

function connect() {
  const { ADMIN_NATS_PASSWORD_FILE, NATS_URL, NATS_CA_FILE } = process.env;
  if (!NATS_URL) throw new Error("NATS_URL is not set. Run this in auth's container.");
  const password = readFileSync(ADMIN_NATS_PASSWORD_FILE ?? '/secrets/admin/nats-password', 'utf8').trim();
  const tls = NATS_CA_FILE ? { tls: { ca: readFileSync(NATS_CA_FILE, 'utf8') } } : {};
  return connectNatsBus({ servers: NATS_URL, name: 'admin', user: 'admin', password, onceWithinMs: BUS_WITHIN_MS, ...tls });
}

async function printInvite(name) {
  const bus = await connect();
  try {
    const { code, pin } = await new RpcClient(bus, { service: 'admin' }).call(Admin.method.createInvite, { name });
    const hex = Buffer.from(pin).toString('hex');
    const server = `${process.env.SERVER_NAME ?? 'localhost'}:${process.env.SOTTO_PORT ?? '7788'}`;
    process.stdout.write(`invite ${code}\npin    ${hex}\nlink   sotto://${server}/#${[hex, code, name].filter(Boolean).join('/')}\n`);
  } finally {
    await bus.close();
  }
}

try {
  await printInvite(process.argv[2] ?? '');
} catch (error) {
  const message = error instanceof Error ? error.message : 'failed';
  process.stderr.write(`no invite: ${message}${error instanceof BusError ? `. ${BUS_AWAY}` : ''}\n`);
  // A connection that was given up may hold the process.
  process.exit(1);
}
