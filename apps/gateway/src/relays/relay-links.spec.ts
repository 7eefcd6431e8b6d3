import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InProcessBus } from '@sotto/platform/bus';
import { MemoryLeaseStore } from '@sotto/platform/live-state';
import { WireError } from '@sotto/protocol/frames';
import { steadyNow } from '@sotto/platform/clock';
import type { WebSocket } from 'ws';
import { Connection } from '../connections/connection.js';
import { ConnectionTable } from '../connections/connection-table.js';
import { RelayLinks } from './relay-links.js';

const [GATEWAY, RELAY] = [1, 2];
const PAYLOAD = new Uint8Array(100);

describe('a delivery of a relay', () => {
  let bus: InProcessBus;
  let links: RelayLinks;
  let connection: Connection;
  let socket: { readyState: number };

  beforeEach(async () => {
    bus = new InProcessBus();
    const table = new ConnectionTable();
    links = new RelayLinks(bus, new MemoryLeaseStore(), table);
    await links.start(GATEWAY);
    socket = { readyState: 1 };
    connection = new Connection(table.takeNumber(), socket as WebSocket, undefined as never, '192.0.2.1', steadyNow());
    table.add(connection);
  });
  afterEach(async () => {
    links.stop();
    await bus.close();
  });

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
});
