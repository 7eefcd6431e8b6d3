// Makes the data folder that a server's first start begins with, when it is not there or its migrations or PGlite have changed,
// and puts it where the terminal command's package has it.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeSeed, SEEDS } from '../libs/platform/dist/database/seed.js';
import { root } from './run.mjs';

await makeSeed(SEEDS);
const packaged = join(root, 'apps/terminal/seed');
rmSync(packaged, { recursive: true, force: true });
cpSync(SEEDS, packaged, { recursive: true });
// The migration engine's lock timer would hold this process for seconds.
process.exit(0);
