/**
 * Runs tasks in order, each in a turn of the event loop of its own. A query of PGlite is a millisecond of synchronous work, and queries that wait for
 * each other follow without a turn between them: a hundred log-ins at once would hold up every message for as many milliseconds.
 */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();

  run<Result>(task: () => Promise<Result>): Promise<Result> {
    const mine = this.last.then(nextTurn).then(task);
    this.last = mine.catch(() => undefined);
    return mine;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
