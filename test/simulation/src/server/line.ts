import type { Counters } from '../counters.js';
import type { Random } from '../random.js';
import type { Schedule } from '../schedule.js';

/** How bad the network is: probabilities of a frame. */
export interface Weather {
  readonly lost: number;
  readonly twice: number;
  /** Overtaken by what was sent after it. */
  readonly late: number;
  /** Milliseconds, on average. */
  readonly delay: number;
}

export const CALM: Weather = { lost: 0, twice: 0, late: 0, delay: 20 };
const LEAST_DELAY_MS = 2;
const LATE_MS = 3_000;

/** One direction of one connection: in order, unless the weather has it otherwise. */
export class Line<Frame> {
  #last = 0;
  #open = true;

  constructor(
    private readonly world: {
      readonly schedule: Schedule;
      readonly random: Random;
      readonly counters: Counters;
      readonly weather: Weather;
    },
    private readonly arrive: (frame: Frame) => Promise<void> | void,
  ) {}

  put(frame: Frame): void {
    const { random, counters, weather } = this.world;
    if (random.chance(weather.lost)) return counters.count('frame-lost');
    if (random.chance(weather.twice)) {
      counters.count('frame-twice');
      this.#travel(frame, random.wait(LATE_MS));
    }
    if (!random.chance(weather.late)) return this.#travelInOrder(frame);
    counters.count('frame-late');
    this.#travel(frame, random.wait(LATE_MS));
  }

  /** What is still on its way is lost. */
  cut(): void {
    this.#open = false;
  }

  #travelInOrder(frame: Frame): void {
    const { schedule, random, weather } = this.world;
    this.#last = Math.max(this.#last, schedule.now + LEAST_DELAY_MS + random.wait(weather.delay));
    this.#travel(frame, this.#last - schedule.now);
  }

  #travel(frame: Frame, delay: number): void {
    this.world.schedule.after(delay, () => (this.#open ? this.arrive(frame) : undefined));
  }
}
