import { performance } from 'node:perf_hooks';
import { ready } from '@sotto/channel';
import sodium from 'libsodium-wrappers';
import type { LoadSettings, StormResult } from './load-settings.js';
import { inParallel } from './registrations.js';
import { type Password, SottoConnection } from './sotto-connection.js';

/** As many accounts as `pairs`, which all log in with their passwords at the same moment, each on a new connection. */
export class StormLoad {
  private passwords: Password[] = [];

  constructor(private readonly settings: LoadSettings) {}

  /** Makes the accounts; none stays connected. */
  async prepare(): Promise<void> {
    await ready();
    await sodium.ready;
    this.passwords = await inParallel(this.settings.pairs, async () => {
      const connection = await this.open();
      const { password } = await connection.register();
      await connection.close();
      return password;
    });
  }

  async storm(): Promise<StormResult> {
    const startedAt = performance.now();
    const ends = await Promise.allSettled(this.passwords.map(async (password) => (await this.open()).logIn(password)));
    return { seconds: (performance.now() - startedAt) / 1_000, failures: ends.filter(({ status }) => status === 'rejected').length };
  }

  private open(): Promise<SottoConnection> {
    return SottoConnection.open(this.settings.url, Buffer.from(this.settings.pin, 'hex'));
  }
}
