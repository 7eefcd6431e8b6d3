// Mends dependencies, generates the database client when its schema changed, compiles every package, copies what tsc leaves behind,
// and bundles the command for those who install it, and the server apps for the tests.
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { bundleServers } from './bundle-servers.mjs';
import { bundleTerminal } from './bundle.mjs';
import { forgetBuilt } from './fingerprint.mjs';
import { patchDependencies } from './patch.mjs';
import { root, runNode } from './run.mjs';

const ASSETS = /\.(lua|sql|html)$/;

function folders(parent) {
  const path = join(root, parent);
  return existsSync(path) ? readdirSync(path).map((name) => join(path, name)) : [];
}

function isNewer(source, copy) {
  return !existsSync(copy) || statSync(source).mtimeMs > statSync(copy).mtimeMs;
}

async function generateDatabaseClient() {
  const schema = join(root, 'prisma/schema.prisma');
  const client = join(root, 'libs/platform/src/database/generated/client.ts');
  if (!existsSync(schema) || !isNewer(schema, client)) return 0;
  // The generator works without the schema engine, which Prisma would otherwise download at every command.
  const offline = { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' };
  return runNode('node_modules/prisma/build/index.js', ['generate', '--schema', schema], [], offline);
}

function copyAssets(folder) {
  const source = join(folder, 'src');
  if (!existsSync(source)) return;
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !ASSETS.test(entry.name)) continue;
    const from = join(entry.parentPath ?? entry.path, entry.name);
    const to = join(folder, 'dist', relative(source, from));
    if (!isNewer(from, to)) continue;
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
  }
}

forgetBuilt();
patchDependencies();
const projects = ['.', ...folders('test').filter((folder) => existsSync(join(folder, 'tsconfig.json')))];
process.exitCode =
  (await generateDatabaseClient()) || (await runNode('node_modules/typescript/bin/tsc', ['-b', ...projects, ...process.argv.slice(2)]));
for (const folder of [...folders('libs'), ...folders('apps')]) copyAssets(folder);
// The database's schema and migrations go wherever the compiled code goes.
cpSync(join(root, 'prisma'), join(root, 'libs/platform/dist/prisma'), { recursive: true });
if (process.exitCode === 0) await bundleTerminal();
// An image is built without the tests.
if (process.exitCode === 0 && existsSync(join(root, 'test/harness'))) await bundleServers();
