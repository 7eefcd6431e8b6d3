// Prints an invite link: docker compose exec auth node deploy/invite.mjs [NAME], or kubectl -n sotto exec deploy/auth -- node deploy/invite.mjs [NAME]
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { connectNatsBus } from '@sotto/platform/bus';
import { RpcClient } from '@sotto/platform/rpc';
import { Admin } from '@sotto/protocol/internal';

const password = readFileSync(process.env.ADMIN_NATS_PASSWORD_FILE ?? '/secrets/admin/nats-password', 'utf8').trim();
const tls = process.env.NATS_CA_FILE ? { tls: { ca: readFileSync(process.env.NATS_CA_FILE, 'utf8') } } : {};
const bus = await connectNatsBus({ servers: process.env.NATS_URL, name: 'admin', user: 'admin', password, ...tls });
try {
  const { code, pin } = await new RpcClient(bus, { service: 'admin' }).call(Admin.method.createInvite, { name: process.argv[2] ?? '' });
  const hex = Buffer.from(pin).toString('hex');
  const server = `${process.env.SERVER_NAME ?? 'localhost'}:${process.env.SOTTO_PORT ?? '7788'}`;
  process.stdout.write(
    `invite ${code}\npin    ${hex}\nlink   sotto://${server}/#${[hex, code, process.argv[2]].filter(Boolean).join('/')}\n`,
  );
} catch (error) {
  process.stderr.write(`no invite: ${error instanceof Error ? error.message : 'failed'}\n`);
  process.exitCode = 1;
}
await bus.close();
