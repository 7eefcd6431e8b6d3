import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { LoadSettings } from './load-settings.js';
import type { Answered, Pairs } from './pairs.js';

const TAG_AT = 4;
const HEAD_BYTES = 8;
/** A message and its answer, each there and on. */
const FRAMES_OF_ROUND_TRIP = 4;

/** The same pairs and sizes over the bare relay: a message is an index (uint32 LE), a tag (uint32 LE) and the payload; its answer has no payload. */
export async function connectBarePairs({ url, pairs, size }: LoadSettings, answered: Answered): Promise<Pairs> {
  const sockets: WebSocket[] = [];
  let roundTrips = 0;
  for (let i = 0; i < 2 * pairs; i++) {
    const socket = new WebSocket(`${url}/${i}`, { perMessageDeflate: false });
    await once(socket, 'open');
    sockets.push(socket);
  }
  const pairUp = (from: number, to: number) => {
    sockets[to]!.on('message', (data: Buffer) => sockets[to]!.send(headOf(from, data.readUInt32LE(TAG_AT), HEAD_BYTES)));
    sockets[from]!.on('message', (data: Buffer) => {
      roundTrips++;
      answered(from, data.readUInt32LE(TAG_AT), true);
    });
    return (tag: number) => sockets[from]!.send(headOf(to, tag, HEAD_BYTES + size));
  };
  const traffic = () => ({ frames: FRAMES_OF_ROUND_TRIP * roundTrips, boxes: FRAMES_OF_ROUND_TRIP * roundTrips });
  return {
    senders: Array.from({ length: pairs }, (_, pair) => pairUp(pair, pairs + pair)),
    get isOpen() {
      return sockets.every(({ readyState }) => readyState === WebSocket.OPEN);
    },
    traffic,
  };
}

function headOf(to: number, tag: number, length: number): Buffer {
  const message = Buffer.alloc(length);
  message.writeUInt32LE(to, 0);
  message.writeUInt32LE(tag, TAG_AT);
  return message;
}
