import type { LoadSettings } from './load-settings.js';
import { SottoConnection } from './sotto-connection.js';

/** Password hashes at the server are the slow part; more at once would only wait there. */
const REGISTRATIONS_AT_ONCE = 8;

export async function registered({ url, pin }: LoadSettings): Promise<SottoConnection> {
  const connection = await SottoConnection.open(url, Buffer.from(pin, 'hex'));
  await connection.register();
  return connection;
}

export async function inParallel<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  let started = 0;
  const worker = async () => {
    while (started < count) {
      started++;
      made.push(await make());
    }
  };
  await Promise.all(Array.from({ length: REGISTRATIONS_AT_ONCE }, worker));
  return made;
}
