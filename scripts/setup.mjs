// Makes a fresh clone ready: dependencies, build, the seed of the database and, with --servers, the servers that tests run on.
// Uses only Node's own modules, and does nothing when nothing changed.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint, isBuilt, noteBuilt } from './fingerprint.mjs';
import { root, run, runNode } from './run.mjs';

const lockFile = join(root, 'package-lock.json');
const stamp = join(root, 'node_modules', '.sotto-installed');

function lockHash() {
  return createHash('sha256').update(readFileSync(lockFile)).digest('hex');
}

function isInstalled() {
  if (existsSync(stamp)) return readFileSync(stamp, 'utf8') === lockHash();
  const npmRecord = join(root, 'node_modules', '.package-lock.json');
  return existsSync(npmRecord) && statSync(npmRecord).mtimeMs >= statSync(lockFile).mtimeMs;
}

/**
 * By the lock file, and without changing it. Not `npm ci`: it refuses a lock file that lacks the optional binaries of other platforms,
 * and npm leaves those out that its registry does not offer.
 */
async function install() {
  if (isInstalled()) return;
  console.log('setup: installing dependencies, about a minute');
  const locked = readFileSync(lockFile);
  const npm = process.env.npm_execpath;
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error'];
  const code = npm?.endsWith('.js') ? await run(process.execPath, [npm, ...args]) : await run('npm', args);
  writeFileSync(lockFile, locked);
  if (code !== 0) throw new Error('the installation failed; see the lines above');
  writeFileSync(stamp, lockHash());
}

async function build() {
  const sources = fingerprint();
  if (isBuilt(sources)) return;
  if ((await runNode('scripts/build.mjs', [])) !== 0) throw new Error('the build failed; see the lines above');
  const isSeeded = (await runNode('scripts/seed-database.mjs', [])) === 0;
  if (isSeeded) noteBuilt(sources);
  else console.log('setup: no seed for the database: the first start takes longer');
}

async function main() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) throw new Error(`Node 20.19 or later is needed; this is ${process.versions.node}`);
  await install();
  await build();
  if (process.argv.includes('--servers') && (await runNode('scripts/servers.mjs', [])) !== 0)
    throw new Error('the servers for the tests are missing');
}

main().catch((error) => {
  console.error(`setup: ${error.message}`);
  process.exitCode = 1;
});
