import { create } from '@bufbuild/protobuf';
import { AckSchema, type Deliver, type Event, type Frame, Outcome, type Receipt, Remedy, remedyOf, toHex } from '@sotto/protocol';
import type { ContactBook } from '../contacts/contact-book.js';
import type { Device } from '../device.js';
import type { Journal } from '../storage/journal.js';
import { stepOf } from './messaging.js';

/** What arrives: it is durable before it is acknowledged. */
export class Incoming {
  constructor(
    private readonly device: Device,
    private readonly book: ContactBook,
  ) {}

  async receive(frames: Frame[], journal: Journal): Promise<void> {
    for (const { kind } of frames) {
      if (kind.case === 'deliver') await this.#deliver(kind.value, journal);
      else if (kind.case === 'receipt') await this.#receipt(kind.value, journal);
      else if (kind.case === 'event') await this.#event(kind.value, journal);
    }
  }

  async #deliver({ handle, payload }: Deliver, journal: Journal): Promise<void> {
    const { messenger, connection } = this.device;
    if (messenger !== undefined) return messenger.receive(handle, payload, stepOf(journal));
    const { link } = connection;
    journal.afterwards(() => link?.send({ case: 'ack', value: create(AckSchema, { handle, outcome: Outcome.CANNOT }) }));
  }

  async #receipt({ id, device, status, relay, error, commitId }: Receipt, journal: Journal): Promise<void> {
    await this.device.messenger?.receipt(
      {
        id: toHex(id),
        device: toHex(device),
        status,
        relay,
        retryAfterMs: error?.retryAfterMs ?? 0,
        final: error !== undefined && remedyOf(error.code) === Remedy.NEVER_RETRY,
        commit: toHex(commitId),
      },
      stepOf(journal),
    );
  }

  async #event({ kind }: Event, journal: Journal): Promise<void> {
    switch (kind.case) {
      case 'contact':
        return this.book.rows([kind.value], journal);
      case 'presence':
        return this.book.presence(toHex(kind.value.account), kind.value.online, journal);
      case 'keyPackagesLow': {
        const link = this.device.connection.link;
        if (link && this.device.engine)
          await this.device.stock.topUp(link, this.device.engine, journal).catch((error: unknown) => this.device.topUpFailed(error));
        return;
      }
      case 'contactsOutdated':
        return this.book.refreshWithin(kind.value.withinMs);
      case 'capabilitiesRevoked':
        return this.book.revokedByServer(kind.value.capabilities.map(toHex), journal);
      case 'sessionRevoked':
        this.device.problem('session-revoked', 'this session was ended: log in again');
        return this.device.connection.refuse('the session was revoked');
      case 'goingAway':
        return this.device.connection.goAway(kind.value.withinMs);
      default:
        return;
    }
  }
}
