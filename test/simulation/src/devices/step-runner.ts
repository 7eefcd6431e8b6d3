import { type Change, Journal, type Step, type Store } from '@sotto/client/core';
import { Crash, type CrashPoint, type DiskStore } from './disk.js';

export interface StepObserver {
  /** In the moment in which a step's changes are durable. */
  durable(batch: readonly Change[]): void;
  /** The process has ended in a step. */
  crashed(point: CrashPoint, what: string): void;
  /** A step did what no step may. */
  unsound(text: string): void;
}

/** Runs one step after the other as the client does: work, one commit, and then what leaves the device. Any of it may be the end. */
export class StepRunner {
  #phase: 'idle' | 'working' | 'effects' = 'idle';
  /** Effects after which the process ends. */
  #effectsLeft: number | undefined;
  #ended = false;
  readonly #watched: Store;

  constructor(
    private readonly store: DiskStore,
    private readonly observer: StepObserver,
  ) {
    this.#watched = this.#watch();
  }

  /** The next step that gets so far is the last; undefined: none is. */
  crashAt(point: CrashPoint | undefined, effects = 1): void {
    this.#effectsLeft = point === 'between-effects' ? effects : undefined;
    this.store.crashAt = point === 'between-effects' ? undefined : point;
  }

  /** Undefined when the process ended in it. */
  async run<T>(what: string, now: number, work: (step: Step) => Promise<T>): Promise<T | undefined> {
    if (this.#ended) return undefined;
    if (this.#phase !== 'idle') throw new Error(`${what} begins within another step`);
    const journal = new Journal(this.#watched);
    try {
      return await this.#whole(what, { journal, now }, work);
    } catch (error) {
      const point = this.#crashOf(error);
      if (point === undefined) throw error;
      this.#ended = true;
      this.observer.crashed(point, what);
      return undefined;
    } finally {
      this.#phase = 'idle';
    }
  }

  async #whole<T>(what: string, step: Step, work: (step: Step) => Promise<T>): Promise<T | undefined> {
    let result: T | undefined;
    this.#phase = 'working';
    try {
      result = await work(step);
    } catch (error) {
      if (this.#crashOf(error) !== undefined) throw error;
      // As in the client: memory has moved, so the disk must follow.
      this.observer.unsound(`${what} threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
    this.#phase = 'effects';
    await step.journal.commit();
    return result;
  }

  #crashOf(error: unknown): CrashPoint | undefined {
    return error instanceof Crash ? error.point : this.store.crashed;
  }

  /** What leaves the device: not before the step is durable. */
  effect(what: string, act: () => void): void {
    if (this.#phase !== 'effects') this.observer.unsound(`${what} left the device before its step was durable`);
    act();
    if (this.#effectsLeft === undefined || --this.#effectsLeft > 0) return;
    throw new Crash('between-effects');
  }

  /** The store; what is about to be durable there is told. */
  #watch(): Store {
    const { store, observer } = this;
    return {
      load: (collection: string) => store.load(collection),
      get: (collection: string, keys: readonly string[]) => store.get(collection, keys),
      close: () => store.close(),
      async commit(batch: readonly Change[]) {
        if (store.crashAt !== 'before-commit') observer.durable(batch);
        await store.commit(batch);
      },
    };
  }
}
