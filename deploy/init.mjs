// One-shot: makes the secrets that are missing, each service's into a folder of its own. A secret that is there stays, an operator's own too;
// what follows from them (nats.conf, redis.conf, the URLs) is written anew.
// Layout of the folder given as argument: <service>/{nats-password,redis-password,redis-url,…}, auth/{server-identity,token-key}, nats/nats.conf, redis/redis.conf, postgres/…
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NATS_USERS, natsConfig } from './nats-users.mjs';
import { REDIS_USERS, redisConfig } from './redis-users.mjs';

const root = process.argv[2];
if (root === undefined) {
  process.stderr.write('usage: node init.mjs FOLDER\n');
  process.exit(1);
}

// Who runs as what in docker-compose.yml.
const OWNERS = { nats: 1000, redis: 999, postgres: 999 };
const SERVICE_UID = 1000;

function folder(name) {
  const path = join(root, name);
  mkdirSync(path, { recursive: true });
  own(path, name, 0o500);
  return path;
}

function own(path, service, mode) {
  const uid = OWNERS[service] ?? SERVICE_UID;
  if (process.getuid?.() === 0) chownSync(path, uid, uid);
  chmodSync(path, mode);
}

/** The secret in this file, made when it is missing: 64 hex digits. */
function secret(service, name) {
  const path = join(folder(service), name);
  if (!existsSync(path)) write(service, name, `${randomBytes(32).toString('hex')}\n`);
  return readFileSync(path, 'utf8').trim();
}

function write(service, name, text) {
  const path = join(folder(service), name);
  if (existsSync(path)) chmodSync(path, 0o600);
  writeFileSync(path, text, { mode: 0o600 });
  own(path, service, 0o400);
}

const passwords = Object.fromEntries(NATS_USERS.map(({ name }) => [name, secret(name, 'nats-password')]));
write('nats', 'nats.conf', natsConfig(passwords));

const redisPasswords = Object.fromEntries(REDIS_USERS.map(({ name }) => [name, secret(name, 'redis-password')]));
write('redis', 'redis.conf', redisConfig(redisPasswords));
for (const [name, password] of Object.entries(redisPasswords)) {
  write(name, 'redis-url', `redis://${name}:${encodeURIComponent(password)}@redis:6379\n`);
}

const owner = secret('postgres', 'password');
write('migrate', 'database-url', `postgresql://sotto:${owner}@postgres:5432/sotto\n`);
for (const service of ['auth', 'contacts']) {
  const password = secret(service, 'database-password');
  write(service, 'database-url', `postgresql://sotto_${service}:${password}@postgres:5432/sotto\n`);
  write('migrate', `${service}-password`, `${password}\n`);
}

secret('auth', 'server-identity');
secret('auth', 'token-key');
process.stdout.write('secrets are in place\n');
