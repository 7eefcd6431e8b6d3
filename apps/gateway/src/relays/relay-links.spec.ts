import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { InProcessBus } from '@sotto/platform/bus';
import { MemoryLeaseStore } from '@sotto/platform/live-state';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ErrorCode, type Frame, FramesSchema, ReceiptStatus, SendSchema } from '@sotto/protocol';
import { encodeDeliverStart, WireError } from '@sotto/protocol/frames';
import { steadyNow } from '@sotto/platform/clock';
import type { WebSocket } from 'ws';
import { Connection } from '../connections/connection.js';
import { ConnectionTable } from '../connections/connection-table.js';
import type { AttachedSession } from '../sessions/attached-session.js';
import { RelayLinks } from './relay-links.js';

const [GATEWAY, RELAY] = [1, 2];
const PAYLOAD = new Uint8Array(100);

let bus: InProcessBus;
let table: ConnectionTable;
let links: RelayLinks;
let connection: Connection;
let socket: { readyState: number };

beforeEach(async () => {
  bus = new InProcessBus();
  const leases = new MemoryLeaseStore();
  await leases.claim('relay', RELAY, 60_000);
  table = new ConnectionTable();
  links = new RelayLinks(bus, leases, table);
  await links.start(GATEWAY);
  socket = { readyState: 1 };
  connection = new Connection(table.takeNumber(), socket as WebSocket, undefined as never, '192.0.2.1', steadyNow());
  table.add(connection);
});
afterEach(async () => {
  links.stop();
  await bus.close();
});

describe('a delivery of a relay', () => {
  /** How many Acks it may send at once. */
  function acks(): number {
    for (let count = 0; ; count++) {
      try {
        connection.countAck();
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
        return count;
      }
    }
  }

  it('pays for its Acks when it is written to the connection, and only then', () => {
    for (let i = 0; i < 300; i++) links.delivery(RELAY, connection.number, i, PAYLOAD);
    socket.readyState = 2;
    for (let i = 0; i < 300; i++) links.delivery(RELAY, connection.number, i, PAYLOAD);
    // What a stranger may say for nothing comes on top.
    expect(acks()).toBe(600 + 100);
  });

  it('is not written again while the connection has it to send still', () => {
    const write = jest.spyOn(table, 'write');
    connection.holds = (start) => encodeDeliverStart(RELAY, 1, PAYLOAD.length).every((byte, i) => byte === start[i]);
    for (const delivery of [1, 2]) links.delivery(RELAY, connection.number, delivery, PAYLOAD);
    expect(write.mock.calls.map(([, start]) => start)).toEqual([encodeDeliverStart(RELAY, 2, PAYLOAD.length)]);
    expect(acks()).toBe(2 + 100);
  });
});

describe('a message of a connection', () => {
  const ID = new Uint8Array(16).fill(7);
  const SEND = toBinary(SendSchema, create(SendSchema, { id: ID, payload: PAYLOAD }));

  it('is refused, to be sent again soon, while the broker that would carry it is away', async () => {
    const written: Frame[] = [];
    table.write = (_to, frame) => void written.push(...fromBinary(FramesSchema, frame).frames);
    connection.session = { deviceBytes: ID, accountBytes: ID } as AttachedSession;
    links.send(connection, SEND);
    expect(written).toEqual([]);
    await bus.close();
    links.send(connection, SEND);
    expect(written.map(({ kind }) => kind)).toMatchObject([
      { case: 'receipt', value: { id: ID, status: ReceiptStatus.REFUSED, error: { code: ErrorCode.UNAVAILABLE } } },
    ]);
  });
});
