import { create } from '@bufbuild/protobuf';
import { AckSchema, type Event, type Frame, Outcome, type Receipt, Remedy, remedyOf, toHex } from '@sotto/protocol';
import type { ContactBook } from '../contacts/contact-book.js';
import { decodeContent } from '../content/content.js';
import type { Received } from '../conversations/conversations.js';
import type { Device } from '../device.js';
import type { Journal } from '../storage/journal.js';
import { keepMessage } from './message.js';
import type { Outgoing } from './outgoing.js';

/** What arrives: it is durable before it is acknowledged. */
export class Incoming {
  constructor(
    private readonly device: Device,
    private readonly outgoing: Outgoing,
    private readonly book: ContactBook,
  ) {}

  async receive(frames: Frame[], journal: Journal): Promise<void> {
    const link = this.device.connection.link;
    for (const { kind } of frames) {
      if (kind.case === 'deliver') {
        const outcome = await this.#deliver(kind.value.payload, journal);
        const ack = create(AckSchema, { handle: kind.value.handle, outcome });
        journal.afterwards(() => link?.send({ case: 'ack', value: ack }));
      } else if (kind.case === 'receipt') this.#receipt(kind.value, journal);
      else if (kind.case === 'event') await this.#event(kind.value, journal);
    }
  }

  async #deliver(payload: Uint8Array, journal: Journal): Promise<Outcome> {
    if (this.device.conversations === undefined) return Outcome.CANNOT;
    let received = await this.device.conversations.open(payload, journal);
    if (received.kind === 'cannot' && received.cause.startsWith('a Welcome')) {
      // The Welcome may be faster than the news that the contact accepted.
      await this.book.fetch(journal).catch(() => undefined);
      received = await this.device.conversations.open(payload, journal);
    }
    return this.#received(received, journal);
  }

  async #received(received: Received, journal: Journal): Promise<Outcome> {
    if (received.kind === 'duplicate') return Outcome.STORED;
    if (received.kind === 'cannot') {
      journal.afterwards(() => this.device.problem('unreadable', `a message could not be read: ${received.cause}`));
      return Outcome.CANNOT;
    }
    const name = this.device.contacts.byAccount(received.account)?.name ?? received.account;
    if (received.kind === 'joined') {
      if (received.renewed)
        journal.afterwards(() => this.device.problem('device-renewed', `${name} has a new device: a new conversation begins`, name));
      await this.outgoing.sealWaiting(received.account, journal, received.renewed);
      return Outcome.STORED;
    }
    const content = decodeContent(received.plaintext);
    if (content === undefined) {
      journal.afterwards(() => this.device.problem('unreadable', `${name} sent what this version cannot show`, name));
      return Outcome.STORED;
    }
    const message = { id: received.contentId, from: name, ...content, receivedAt: Date.now(), conversation: name };
    keepMessage(message, journal);
    journal.afterwards(() => this.device.events.emit('message', message));
    return Outcome.STORED;
  }

  #receipt({ id, device, status, relay, error }: Receipt, journal: Journal): void {
    this.outgoing.reduce(
      {
        kind: 'receipt',
        sendId: toHex(id),
        device: toHex(device),
        status,
        relay,
        retryAfterMs: error?.retryAfterMs ?? 0,
        final: error !== undefined && remedyOf(error.code) === Remedy.NEVER_RETRY,
        onlineSince: (account) => this.device.contacts.onlineSince(account),
      },
      journal,
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
