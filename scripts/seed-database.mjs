// Makes the data folder that a server's first start begins with, when it is not there or its migrations or PGlite have changed.
import { makeSeed, SEEDS } from '../libs/platform/dist/database/seed.js';

await makeSeed(SEEDS);
// The migration engine's lock timer would hold this process for seconds.
process.exit(0);
