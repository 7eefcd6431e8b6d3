import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Collections of the bench's own would count as time that the server takes: young objects die young, and the old ones are let grow. */
const FEW_COLLECTIONS = ['--max-semi-space-size=64', '--min-semi-space-size=64', '--initial-old-space-size=1024'];

/** A module of the bench in a process of its own, which ends with this one. */
export class Child {
  private readonly process: ChildProcess;

  constructor(module: string, argument = '') {
    this.process = fork(fileURLToPath(new URL(module, import.meta.url)), [argument], { execArgv: FEW_COLLECTIONS });
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  send(command: string): void {
    this.process.send(command);
  }

  /** Its next message. */
  next<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null) => reject(new Error(`the load process ended (${code})`));
      this.process.once('exit', onExit);
      this.process.once('message', (message) => {
        this.process.off('exit', onExit);
        resolve(message as T);
      });
    });
  }

  stop(): void {
    if (this.process.connected) this.process.disconnect();
  }
}
