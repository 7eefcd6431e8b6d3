import type { GroupRules } from '@sotto/client/core';
import type { Violation } from '../checks/ledger.js';
import { Random } from '../random.js';
import { CALM_SERVER } from '../server/server.js';
import { Stage } from '../stories/stage.js';
import { STORIES, type StoryName, tell } from '../stories/stories.js';
import { Actions } from './actions.js';
import { Adversary } from './adversary.js';
import { judge } from './judgement.js';
import { type Profile, profileOf, stageOf } from './profile.js';
import { Simulation } from './simulation.js';

/** Every tenth seed runs on real cryptography. */
const REAL_EVERY = 10;
const SLICE_MS = 30_000;
/** From the last fault to the end, at most. */
const BOUND_MS = 6 * 3_600_000;
/** After this, time passes in larger steps. */
const SOON_MS = 600_000;
/** So many slices in a row without a violation are the end. */
const WELL_SLICES = 3;
/** Of a world to which all kinds of things happen, that a story happens too. */
const STORY_CHANCE = 0.3;

export interface SeedOptions {
  readonly seed: number;
  readonly rules: GroupRules;
  readonly trace: boolean;
  /** With real cryptography, whichever seed. */
  readonly real: boolean;
  /** Nothing else happens in its world. */
  readonly story?: StoryName | undefined;
}

export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly counts: readonly (readonly [string, number])[];
  readonly trace: readonly string[];
  /** Virtual time from the last fault until nothing was left to do. Milliseconds. */
  readonly healedAfter: number;
}

/** One seed: a world, its misfortunes, the calm after them, and the judgement. */
export async function runSeed({ seed, rules, trace, real, story }: SeedOptions): Promise<SeedResult> {
  const random = new Random(seed, 'profile');
  const profile = story === undefined ? profileOf(random) : stageOf(random, STORIES[story].world ?? {});
  const simulation = await Simulation.begin(settingsOf(seed, profile, { rules, trace, real: real || seed % REAL_EVERY === 0 }));
  try {
    return await new SeedRun(simulation, profile, new Random(seed, 'actions'), story).run();
  } finally {
    simulation.end();
  }
}

function settingsOf(seed: number, profile: Profile, options: { rules: GroupRules; trace: boolean; real: boolean }) {
  const random = new Random(seed, 'devices');
  const { people, strangers, invisible, retryWindowMs, deliveryWindow, oneTimePackages, tickMs, skew } = profile;
  const device = () => ({ skew: random.whole(-skew, skew), oneTimePackages, tickMs });
  return { seed, people, strangers, invisible, retryWindowMs, deliveryWindow, device, ...options };
}

class SeedRun {
  readonly #actions: Actions;
  readonly #adversary: Adversary | undefined;

  constructor(
    private readonly simulation: Simulation,
    private readonly profile: Profile,
    private readonly random: Random,
    private readonly story: StoryName | undefined,
  ) {
    const hostile = profile.hostile === undefined ? undefined : simulation.device(profile.hostile.device);
    const attacked = () => this.#actions.firstGroup;
    this.#adversary = hostile && new Adversary(hostile, simulation, attacked, new Random(simulation.settings.seed, 'hostile'));
    this.#actions = new Actions(simulation, random, this.#adversary);
  }

  async run(): Promise<SeedResult> {
    const { simulation } = this;
    if (this.profile.skew > 0) simulation.counters.count('clock-skewed');
    if (this.profile.invisible.length > 0) simulation.counters.count('invisible');
    await this.#begin();
    await this.#live();
    await this.#tell();
    const healedAfter = await this.#heal();
    const violations = [...this.#judge()];
    return {
      seed: simulation.settings.seed,
      violations,
      counts: simulation.counters.entries(),
      trace: simulation.trace.lines,
      healedAfter,
    };
  }

  async #begin(): Promise<void> {
    const { simulation } = this;
    for (const device of simulation.devices) {
      await device.start();
      await device.connect();
    }
    await simulation.pass(3_000);
    const [founder] = simulation.devices;
    await this.#actions.found(founder!, this.#contactsOf(founder!.identity.account));
    await simulation.pass(10_000);
  }

  #judge(): Iterable<Violation> {
    return judge(this.simulation, this.#adversary?.device);
  }

  #contactsOf(account: string): string[] {
    return [...this.simulation.accounts.values()].filter((each) => this.simulation.areContacts(account, each) && this.random.chance(0.8));
  }

  async #live(): Promise<void> {
    const { simulation, random, profile } = this;
    simulation.server.weather = profile.weather;
    const weights = Object.entries(profile.weights) as [keyof Profile['weights'], number][];
    for (let event = 0; event < profile.events && !simulation.isStorm; event++) {
      await simulation.pass(random.wait(profile.pace));
      if (event === profile.hostile?.expelledAt) await this.#adversary?.expel();
      await this.#actions.act(random.weighted(weights));
    }
  }

  /** Its own story; in some of the other worlds one that they have the cast for. */
  async #tell(): Promise<void> {
    const { simulation, story } = this;
    const random = new Random(simulation.settings.seed, 'story');
    const isToBeTold = story !== undefined || random.chance(STORY_CHANCE);
    if (!isToBeTold || simulation.isStorm) return;
    const stage = new Stage(simulation, random, this.#adversary);
    const names = story === undefined ? random.shuffled(Object.keys(STORIES) as StoryName[]) : [story];
    for (const name of names) if (await tell(name, stage)) return;
  }

  /** Faults stop and everyone comes back. Until all is well, or the bound is reached. */
  async #heal(): Promise<number> {
    const { simulation } = this;
    simulation.trace.note('', 'faults stop, everyone comes online');
    simulation.server.weather = CALM_SERVER;
    // News of presence may have been lost: a connection begins with all of it.
    for (const device of simulation.devices) await device.disconnect();
    const since = simulation.schedule.now;
    let well = 0;
    while (simulation.schedule.now - since < BOUND_MS && well < WELL_SLICES && !simulation.isStorm) {
      for (const device of simulation.devices) await device.recover();
      await this.#resist();
      await simulation.pass(SLICE_MS);
      if (simulation.schedule.now - since > SOON_MS) simulation.slowDown();
      well = this.#isWell() ? well + 1 : 0;
    }
    return simulation.schedule.now - since;
  }

  /** Looks no further than to the first thing that is not. */
  #isWell(): boolean {
    for (const each of this.#judge()) if (!this.#isLasting(each)) return false;
    return true;
  }

  /** What was broken once stays broken, however long one waits. */
  #isLasting(violation: Violation): boolean {
    return violation.check === 'sealed-for-members' || this.simulation.ledger.violations.includes(violation);
  }

  /** Who is in may disturb; who is out goes on minting, and that is to be of no effect. */
  async #resist(): Promise<void> {
    if (this.#adversary?.isOut === false) return this.#adversary.expel();
    await this.#adversary?.act();
  }
}
