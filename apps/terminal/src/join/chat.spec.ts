import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ClientEvents, MessagingClient } from '@sotto/client';
import { askNobody } from './asker.js';
import { Chat } from './chat.js';
import type { ChatEvent } from './chat-event.js';
import type { Deliveries } from './deliveries.js';
import type { MessageCommands } from './message-commands.js';
import type { Surroundings } from './surroundings.js';

const NO_GROUPS = { groups: { nameOf: () => undefined } } as unknown as Surroundings;

let shown: ChatEvent[];
let events: EventEmitter;
const happens = <Name extends keyof ClientEvents>(name: Name, event: ClientEvents[Name]) => events.emit(name, event);

beforeEach(() => {
  shown = [];
  events = new EventEmitter();
  // The order of what the SDK tells is what this is about; no server can be made to keep to one.
  const client = { on: (name: string, listener: (event: unknown) => void) => (events.on(name, listener), () => undefined) };
  const [messages, deliveries] = [{} as MessageCommands, {} as Deliveries];
  new Chat(client as unknown as MessagingClient, NO_GROUPS, messages, deliveries, askNobody, (event) => shown.push(event));
});

const presences = () => shown.flatMap((event) => (event.event === 'presence' ? [event.online] : []));

describe('who is there', () => {
  it('is told once when the new contact and its presence are told of each by itself', () => {
    const bob = {
      name: 'bob',
      status: 'accepted',
      account: 'b0',
      identityKey: new Uint8Array(32),
      online: true,
      acceptedByMe: false,
    } as const;
    happens('contact', bob);
    happens('presence', { name: 'bob', online: true });
    expect(presences()).toEqual([true]);
    happens('presence', { name: 'bob', online: false });
    expect(presences()).toEqual([true, false]);
  });

  it('is told again on another connection: what happened in between is known to nobody', () => {
    happens('presence', { name: 'bob', online: true });
    happens('state', { state: 'offline', cause: 'lost', retryInMs: 500 });
    happens('presence', { name: 'bob', online: true });
    expect(presences()).toEqual([true, true]);
  });
});
