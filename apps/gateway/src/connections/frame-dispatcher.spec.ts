import { beforeEach, describe, expect, it } from '@jest/globals';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { AttachedSession } from '../sessions/attached-session.js';
import { FramesSchema } from '@sotto/protocol';
import { WireError } from '@sotto/protocol/frames';
import type { CallRouter } from '../calls/call-router.js';
import { gatewayConfig, gatewayConfigSchema } from '../gateway.config.js';
import type { RelayLinks } from '../relays/relay-links.js';
import { Connection } from './connection.js';
import { ConnectionTable } from './connection-table.js';
import { FrameDispatcher } from './frame-dispatcher.js';

const NOW = 1_700_000_000_000;

type Kind = NonNullable<NonNullable<MessageInitShape<typeof FramesSchema>['frames']>[number]['kind']>;

const PING: Kind = { case: 'ping', value: { nonce: 1 } };
const SEND: Kind = { case: 'send', value: {} };
const ACK: Kind = { case: 'ack', value: { handle: 7n } };

let answered: number;
let taken: number;
let connection: Connection;
let dispatcher: FrameDispatcher;

class CountingTable extends ConnectionTable {
  override write(): void {
    answered++;
  }
}

beforeEach(() => {
  answered = taken = 0;
  const relays = { send: () => taken++, ack: () => taken++, refuse: () => answered++ } as Partial<RelayLinks> as RelayLinks;
  dispatcher = new FrameDispatcher(gatewayConfig(gatewayConfigSchema.parse({})), new CountingTable(), {} as CallRouter, relays);
  connection = new Connection(1, undefined as never, undefined as never, '192.0.2.1', NOW);
});

function attach(): void {
  connection.session = { route: {} } as Partial<AttachedSession> as AttachedSession;
}

function framesOf(kind: Kind, count: number): Uint8Array {
  const frames = Array.from({ length: count }, () => ({ kind }));
  return toBinary(FramesSchema, create(FramesSchema, { frames }));
}

function says(kind: Kind, count: number): void {
  dispatcher.dispatch(connection, framesOf(kind, count));
}

describe('a box full of frames that are answered on the spot', () => {
  it.each([
    ['pings', PING],
    ['Sends', SEND],
  ])('of %s ends the connection of a stranger after a few', (_what, kind) => {
    says(kind, 100);
    expect(() => says(kind, 10_000)).toThrow(WireError);
    expect([answered, taken]).toEqual([100, 0]);
  });

  it('is answered to a device, as far as it can be for what it sent too much, and then ends its connection', () => {
    attach();
    says(SEND, 4_000);
    says(SEND, 16_000);
    says(PING, 4_000);
    expect([taken, answered]).toEqual([4_000, 20_000]);
    expect(() => says(SEND, 1)).toThrow(WireError);
  });

  it('is answered again after a pause', () => {
    says(PING, 100);
    connection.lastSeen += 1_000;
    says(PING, 10);
    expect(() => says(PING, 1)).toThrow(WireError);
    expect(answered).toBe(110);
  });
});

describe('Acks', () => {
  it('of nothing that was delivered end the connection of a device after a burst, and of a stranger after a few', () => {
    expect(() => says(ACK, 101)).toThrow(WireError);
    expect(taken).toBe(0);
    connection = new Connection(2, undefined as never, undefined as never, '192.0.2.1', NOW);
    attach();
    says(ACK, 20_000);
    expect(() => says(ACK, 1)).toThrow(WireError);
    expect(taken).toBe(20_000);
  });

  it('are never too many for what is delivered, however fast: two for each delivery', () => {
    attach();
    const both = framesOf(ACK, 2);
    for (let i = 0; i < 50_000; i++) {
      connection.countDelivery();
      dispatcher.dispatch(connection, both);
    }
    says(PING, 20_000);
    expect(() => says(ACK, 1)).toThrow(WireError);
  });

  it('can be saved up to some thousands', () => {
    attach();
    for (let i = 0; i < 50_000; i++) connection.countDelivery();
    says(ACK, 20_000 + 4_096);
    expect(() => says(ACK, 1)).toThrow(WireError);
  });
});
