// One-shot: makes the secrets that are missing, each service's into a folder of its own. A secret that is there stays, an operator's own too;
// what follows from them (nats.conf, redis.conf, the URLs) is written anew.
// Layout of the folder given as argument: <service>/{nats-password,redis-password,redis-url,…}, auth/{server-identity,token-key}, nats/nats.conf, redis/redis.conf, postgres/…
// With --kubernetes the bus speaks TLS: nats/{tls.key,tls.crt}, <service>/nats-ca; and the files stay those of whoever runs this, for kustomize to read (k8s/secrets).
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certifyBroker, makeBrokerKey } from './broker-certificate.mjs';
import { NATS_USERS, natsConfig } from './nats-users.mjs';
import { REDIS_USERS, redisConfig } from './redis-users.mjs';

const [root, where] = process.argv.slice(2);
if (root === undefined || (where !== undefined && where !== '--kubernetes')) {
  process.stderr.write('usage: node init.mjs FOLDER [--kubernetes]\n');
  process.exit(1);
}
const forKubernetes = where === '--kubernetes';

// Who runs as what in docker-compose.yml.
const OWNERS = { nats: 1000, redis: 999, postgres: 999 };
const SERVICE_UID = 1000;

function folder(name) {
  const path = join(root, name);
  mkdirSync(path, { recursive: true });
  own(path, name, forKubernetes ? 0o700 : 0o500);
  return path;
}

function own(path, service, mode) {
  const uid = OWNERS[service] ?? SERVICE_UID;
  if (process.getuid?.() === 0 && !forKubernetes) chownSync(path, uid, uid);
  chmodSync(path, mode);
}

/** The secret in this file, made when it is missing: 64 hex digits. */
function secret(service, name) {
  return kept(service, name, () => `${randomBytes(32).toString('hex')}\n`);
}

/** What is in this file, made when it is missing. */
function kept(service, name, make) {
  const path = join(folder(service), name);
  if (!existsSync(path)) write(service, name, make());
  return readFileSync(path, 'utf8').trim();
}

function write(service, name, text) {
  const path = join(folder(service), name);
  if (existsSync(path)) chmodSync(path, 0o600);
  writeFileSync(path, text, { mode: 0o600 });
  own(path, service, 0o400);
}

function makeBus() {
  const passwords = Object.fromEntries(NATS_USERS.map(({ name }) => [name, secret(name, 'nats-password')]));
  if (!forKubernetes) return write('nats', 'nats.conf', natsConfig(passwords));
  kept('nats', 'tls.key', makeBrokerKey);
  const certificate = kept('nats', 'tls.crt', () => certifyBroker(join(root, 'nats/tls.key'), ['nats']));
  for (const { name } of NATS_USERS) write(name, 'nats-ca', `${certificate}\n`);
  write('nats', 'nats.conf', natsConfig(passwords, { tls: { certificate: '/secrets/nats/tls.crt', key: '/secrets/nats/tls.key' } }));
}

function makeLiveState() {
  const passwords = Object.fromEntries(REDIS_USERS.map(({ name }) => [name, secret(name, 'redis-password')]));
  write('redis', 'redis.conf', redisConfig(passwords));
  for (const [name, password] of Object.entries(passwords)) {
    write(name, 'redis-url', `redis://${name}:${encodeURIComponent(password)}@redis:6379\n`);
  }
}

/** An operator's own server is in postgres/address, with what its URL has to say: "db.example.org:5432/sotto?sslmode=verify-full". */
function makeDatabase() {
  const own = join(folder('postgres'), 'address');
  const address = existsSync(own) ? readFileSync(own, 'utf8').trim() : 'postgres:5432/sotto';
  const url = (user, password) => `postgresql://${user}:${encodeURIComponent(password)}@${address}\n`;
  write('migrate', 'database-url', url('sotto', secret('postgres', 'password')));
  for (const service of ['auth', 'contacts']) {
    const password = secret(service, 'database-password');
    write(service, 'database-url', url(`sotto_${service}`, password));
    write('migrate', `${service}-password`, `${password}\n`);
  }
}

try {
  makeBus();
  makeLiveState();
  makeDatabase();
  secret('auth', 'server-identity');
  secret('auth', 'token-key');
  process.stdout.write('secrets are in place\n');
} catch (error) {
  process.stderr.write(`init: ${error.message}\n`);
  process.exitCode = 1;
}
