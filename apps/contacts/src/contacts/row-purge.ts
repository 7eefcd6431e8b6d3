import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { FORMER_LIFETIME_MS, REQUEST_LIFETIME_MS } from '../config.js';
import { CONTACT_STORE } from './contact.store.js';
import type { ContactStore } from './contact.store.js';

const EVERY_MS = 3_600_000;

/** Deletes requests that nobody answered in their lifetime. They count as gone before, so a run that fails is made up by the next. */
@Injectable()
export class RowPurge implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(@Inject(CONTACT_STORE) private readonly store: ContactStore) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.purge().catch(() => undefined), EVERY_MS);
    this.timer.unref();
  }

  private purge(): Promise<number> {
    const now = Date.now();
    return this.store.purge(now - REQUEST_LIFETIME_MS, now - FORMER_LIFETIME_MS);
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }
}
