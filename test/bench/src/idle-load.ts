import { ready } from '@sotto/channel';
import sodium from 'libsodium-wrappers';
import type { LoadSettings } from './load-settings.js';
import { inParallel } from './registrations.js';
import { type KnownDevice, SottoConnection } from './sotto-connection.js';

/** Connections of devices that are known already, held and left alone. */
export class IdleLoad {
  private devices: KnownDevice[] = [];
  private readonly held: SottoConnection[] = [];

  constructor(private readonly settings: LoadSettings) {}

  /** Makes the devices, and lets each come and go once, so that the server has the memory by it that coming takes; none stays connected. */
  async prepare(): Promise<void> {
    await ready();
    await sodium.ready;
    this.devices = await inParallel(this.settings.pairs, async () => {
      const connection = await SottoConnection.open(this.settings.url, Buffer.from(this.settings.pin, 'hex'));
      const device = await connection.register();
      await connection.close();
      return device;
    });
    await this.connect();
    await Promise.all(this.held.splice(0).map((connection) => connection.close()));
  }

  async connect(): Promise<void> {
    const left = [...this.devices];
    await inParallel(left.length, async () => {
      const connection = await SottoConnection.open(this.settings.url, Buffer.from(this.settings.pin, 'hex'));
      await connection.resume(left.pop()!);
      this.held.push(connection);
    });
  }
}
