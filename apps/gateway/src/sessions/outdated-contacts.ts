import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BUS, type Bus, type Subscription } from '@sotto/platform/bus';
import { ConnectionTable } from '../connections/connection-table.js';
import { eventFrame } from './event-frame.js';
import { spreadOver } from './spread.js';

/** Tells devices to read their contact lists again, where events of contacts may have been lost on their way here. */
@Injectable()
export class OutdatedContacts implements OnApplicationBootstrap, OnApplicationShutdown {
  private subscriptions: Subscription[] = [];

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly table: ConnectionTable,
  ) {}

  onApplicationBootstrap(): void {
    this.subscriptions = [
      this.bus.onStatus((connected) => connected && this.tell()),
      // Who came and went while contacts was away, it does not know.
      this.bus.subscribe('contacts.resumed', () => this.tell()),
    ];
  }

  onApplicationShutdown(): void {
    for (const subscription of this.subscriptions) subscription.unsubscribe();
  }

  private tell(): void {
    const frame = eventFrame({ kind: { case: 'contactsOutdated', value: { withinMs: spreadOver(this.table.size) } } });
    for (const connection of this.table.values()) if (connection.session?.route !== undefined) this.table.write(connection, frame);
  }
}
