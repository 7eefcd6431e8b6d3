// The broker's certificate in a cluster. It is its own authority: services are given this one to trust and no other (NATS_CA).
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';

/** Made anew by hand, with a restart of all services (k8s/README.md); an end that nobody expects would stop them all. */
const DAYS = 3_650;

const extensionsFor = (names) => [
  `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`,
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=serverAuth',
];

/** A new key on P-256, as PEM. */
export function makeBrokerKey() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
}

/**
 * The certificate for the key in this file, as PEM. Node makes none itself, so the openssl program does. Throws when it is missing.
 * @param {string} keyFile
 * @param {string[]} names host names by which services reach the broker; the client checks no address.
 */
export function certifyBroker(keyFile, names) {
  // No configuration of the machine's: it would add extensions of its own.
  const args = [
    'req',
    '-x509',
    '-new',
    '-sha256',
    '-config',
    '/dev/null',
    '-days',
    String(DAYS),
    '-key',
    keyFile,
    '-subj',
    `/CN=${names[0]}`,
  ];
  const extensions = extensionsFor(names).flatMap((extension) => ['-addext', extension]);
  try {
    return execFileSync('openssl', [...args, ...extensions], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const why = error.code === 'ENOENT' ? 'openssl is needed: install it, or bring nats/tls.crt' : 'openssl refused';
    throw new Error(`no certificate for NATS: ${why}`, { cause: error });
  }
}
