// People talk, come and go while parts of a real server die and stall; then everything runs again, everyone comes, and it is judged.
import { Random } from '../../simulation/dist/random.js';
import { judge } from './judgement.js';
import { Life } from './life.js';
import { HELP, type SoakOptions, soakOptions } from './options.js';
import { Town } from './town.js';

const startedAt = Date.now();

function tell(what: string): void {
  console.log(`${((Date.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${what}`);
}

/** Whether all was well. */
async function soak({ topology, seconds, seed, only, oneDevice }: SoakOptions): Promise<boolean> {
  const town = await Town.found(topology, !oneDevice);
  try {
    const processes = town.server.pids().map(({ name }) => name);
    const unknown = only?.filter((name) => !processes.includes(name)) ?? [];
    if (unknown.length > 0) throw new Error(`no process ${unknown.join(', ')} here: ${processes.join(', ')}`);
    const life = new Life(town, new Random(seed, 'soak'), only ?? processes, tell);
    await life.goOn(seconds * 1_000);
    tell(
      `${town.written.length} messages written, ${life.faults.length} faults, refused: ${JSON.stringify(Object.fromEntries(life.refusals))}`,
    );
    await Promise.all(town.devices.map((each) => each.come()));
    const wrong = await judge(town, tell);
    for (const each of wrong) console.error(each);
    console.log(wrong.length === 0 ? `seed ${seed}: all well` : `seed ${seed}: ${wrong.length} wrong after ${life.faults.join(', ')}`);
    return wrong.length === 0;
  } finally {
    await town.close();
  }
}

try {
  const options = soakOptions();
  if (options === undefined) console.log(HELP);
  else process.exitCode = (await soak(options)) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
