import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AckSchema, FrameSchema, FramesSchema, Outcome, ReceiptStatus, SendSchema } from '../generated/sotto/v1/frames_pb.js';
import { GatewayBatchSchema, RelayBatchSchema } from '../generated/sotto/internal/v1/internal_pb.js';
import { toHex } from '../ids.js';
import {
  encodeBatch,
  encodeGatewayOutput,
  encodeNotHere,
  encodeRelayInput,
  encodeSharedDelivery,
  forEachRelayInput,
  readGatewayBatch,
} from './batches.js';
import {
  encodeAck,
  encodeDeliverStart,
  encodeReceipt,
  encodeSend,
  entryLength,
  forEachFrame,
  FrameKind,
  idOfSend,
  parseAck,
  parseDeliver,
  parseReceipt,
  parseSend,
  wrapFrame,
} from './frames.js';
import { WireError } from './wire.js';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const uint32 = fc.integer({ min: 1, max: 0xffffffff });
const payload = fc.uint8Array({ maxLength: 3_000 });

describe('the hand-written codec of the hot frames', () => {
  it('reads every Send that protobuf-es writes', () => {
    const recipient = fc.record({ device: bytes(16), token: bytes(32) });
    fc.assert(
      fc.property(bytes(16), fc.array(recipient, { minLength: 1, maxLength: 5 }), payload, uint32, (id, recipients, body, ttl) => {
        const send = parseSend(toBinary(SendSchema, create(SendSchema, { id, recipients, payload: body, ttl })));
        expect([send.id, send.payload, send.ttl]).toEqual([id, body, ttl]);
        expect(send.recipients).toBe(recipients.length);
        expect(send.devices).toEqual(concat(...recipients.map((one) => one.device)));
        expect(send.tokens).toEqual(concat(...recipients.map((one) => one.token)));
      }),
    );
  });

  it('reads the slot and the commit id of a Send that claims one, and writes what protobuf-es reads', () => {
    fc.assert(
      fc.property(bytes(16), bytes(32), bytes(16), payload, (id, slot, commitId, body) => {
        const send = { id, recipients: [{ device: id, token: slot }], payload: body, ttl: 3, slot, commitId };
        expect(parseSend(toBinary(SendSchema, create(SendSchema, send)))).toMatchObject({ id, payload: body, slot, commitId });
        const { frames } = fromBinary(
          FramesSchema,
          encodeSend({ id, devices: [id], tokens: [slot], payload: body, ttl: 3, slot, commitId }),
        );
        expect(frames[0]!.kind).toMatchObject({ case: 'send', value: send });
      }),
    );
  });

  it('writes Deliver and Receipt frames that protobuf-es reads', () => {
    fc.assert(
      fc.property(uint32, uint32, payload, bytes(16), bytes(16), (relay, delivery, body, id, device) => {
        const { frames } = fromBinary(
          FramesSchema,
          concat(deliver(relay, delivery, body), encodeReceipt(id, device, ReceiptStatus.DELIVERED, relay)),
        );
        expect(frames[0]!.kind).toMatchObject({
          case: 'deliver',
          value: { handle: (BigInt(relay) << 32n) | BigInt(delivery), payload: body },
        });
        expect(frames[1]!.kind).toMatchObject({ case: 'receipt', value: { id, device, status: ReceiptStatus.DELIVERED, relay } });
      }),
    );
  });

  it('reads back the handle of a Deliver from the Ack that answers it', () => {
    fc.assert(
      fc.property(uint32, uint32, (relay, delivery) => {
        const handle = (BigInt(relay) << 32n) | BigInt(delivery);
        const ack = parseAck(toBinary(AckSchema, create(AckSchema, { handle, outcome: Outcome.STORED })));
        expect(ack).toEqual({ relay, delivery, outcome: Outcome.STORED });
      }),
    );
  });

  it("reads on the client's side what it writes on the server's, and the other way round", () => {
    fc.assert(
      fc.property(uint32, uint32, payload, bytes(16), bytes(16), bytes(32), (relay, delivery, body, id, device, token) => {
        const ttl = delivery;
        const frames = concat(
          encodeSend({ id, devices: [device], tokens: [token], payload: body, ttl }),
          encodeAck({ relay, delivery, outcome: Outcome.LATER }),
          deliver(relay, delivery, body),
          encodeReceipt(id, device, ReceiptStatus.CANNOT, relay),
        );
        const seen: unknown[] = [];
        const parsers = {
          [FrameKind.SEND]: parseSend,
          [FrameKind.ACK]: parseAck,
          [FrameKind.DELIVER]: parseDeliver,
          [FrameKind.RECEIPT]: parseReceipt,
        };
        forEachFrame(frames, (kind, start, end) => seen.push(parsers[kind as keyof typeof parsers](frames.subarray(start, end))));
        expect(seen).toMatchObject([
          { id, recipients: 1, devices: device, tokens: token, payload: body, ttl },
          { relay, delivery, outcome: Outcome.LATER },
          { relay, delivery, payload: body },
          { id, device, status: ReceiptStatus.CANNOT, relay },
        ]);
      }),
    );
  });

  it('takes a box apart into its frames and ignores kinds that it does not know', () => {
    const unknown = new Uint8Array([0x0a, 0x05, 0x7a, 0x03, 1, 2, 3]);
    const box = concat(
      toBinary(FramesSchema, create(FramesSchema, { frames: [create(FrameSchema, { kind: { case: 'ping', value: { nonce: 7 } } })] })),
      unknown,
    );
    const kinds: number[] = [];
    forEachFrame(box, (kind) => kinds.push(kind));
    expect(kinds).toEqual([FrameKind.PING, 15]);
  });

  it('wraps a frame as protobuf-es does', () => {
    const send = toBinary(SendSchema, create(SendSchema, { id: new Uint8Array(16).fill(1), payload: new Uint8Array(200) }));
    const { frames } = fromBinary(FramesSchema, wrapFrame(FrameKind.SEND, send));
    expect(frames[0]!.kind).toMatchObject({ case: 'send', value: { id: new Uint8Array(16).fill(1) } });
  });

  it('answers any bytes with frames or a WireError, and never reads beyond the end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        for (const read of [
          () => forEachFrame(noise, () => undefined),
          () => parseSend(noise),
          () => idOfSend(noise),
          () => parseAck(noise),
          () => forEachRelayInput(noise, () => undefined),
          () => readGatewayBatch(noise, { frame: () => undefined, delivery: () => undefined }),
        ]) {
          try {
            read();
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses a Send with no recipient, with a short id, a short token or too large a payload', () => {
    const good = { id: new Uint8Array(16), recipients: [{ device: new Uint8Array(16), token: new Uint8Array(32) }] };
    const parse = (send: object) => () => parseSend(toBinary(SendSchema, create(SendSchema, send)));
    expect(parse(good)).not.toThrow();
    expect(parse({ ...good, recipients: [] })).toThrow(WireError);
    expect(parse({ ...good, id: new Uint8Array(15) })).toThrow(WireError);
    expect(parse({ ...good, recipients: [{ device: new Uint8Array(16), token: new Uint8Array(31) }] })).toThrow(WireError);
    expect(parse({ ...good, payload: new Uint8Array(256 * 1024 + 1) })).toThrow(WireError);
    // What it carries beside its payload is kept as long, and counted nowhere. Field 99, length-delimited.
    const withUnknown = (length: number) => () =>
      parseSend(
        Buffer.concat([toBinary(SendSchema, create(SendSchema, good)), Buffer.of(0x9a, 0x06, 0x80, length >> 7), Buffer.alloc(length)]),
      );
    expect(withUnknown(512)).not.toThrow();
    expect(withUnknown(1_024)).toThrow(WireError);
  });

  it('reads the id of a Send that breaks the rules, and none where there is none', () => {
    const id = new Uint8Array(16).fill(7);
    const send = toBinary(SendSchema, create(SendSchema, { id, payload: new Uint8Array(256 * 1024 + 1) }));
    expect(() => parseSend(send)).toThrow(WireError);
    expect(idOfSend(send)).toEqual(id);
    expect(idOfSend(send.subarray(0, 1_000))).toEqual(id);
    expect(idOfSend(toBinary(SendSchema, create(SendSchema, { id: id.subarray(1) })))).toHaveLength(0);
  });

  it('refuses a Send whose slot or commit id has another length, or stands alone', () => {
    const good = { id: new Uint8Array(16), recipients: [{ device: new Uint8Array(16), token: new Uint8Array(32) }] };
    const parse = (slot: number, commitId: number) => () =>
      parseSend(toBinary(SendSchema, create(SendSchema, { ...good, slot: new Uint8Array(slot), commitId: new Uint8Array(commitId) })));
    expect(parse(32, 16)).not.toThrow();
    for (const [slot, commitId] of [
      [31, 16],
      [33, 16],
      [32, 15],
      [32, 32],
      [32, 0],
      [0, 16],
    ] as const)
      expect(parse(slot, commitId)).toThrow(WireError);
  });

  it('keeps its golden bytes', () => {
    expect(toHex(deliver(0x01020304, 0x0a0b0c0d, new Uint8Array([9, 8])))).toBe('0a0f320d090d0c0b0a0403020112020908');
    expect(toHex(encodeReceipt(new Uint8Array(2).fill(1), new Uint8Array(2).fill(2), ReceiptStatus.ACCEPTED, 5))).toBe(
      '0a113a0f0a020101120202021801250500' + '0000',
    );
  });
});

describe('the batches between gateway and relay', () => {
  it('are what protobuf-es reads, entry by entry', () => {
    fc.assert(
      fc.property(uint32, uint32, bytes(16), bytes(16), payload, (gateway, connection, device, account, message) => {
        const entries = [
          encodeRelayInput('send', connection, device, account, message),
          encodeRelayInput('ack', connection, device, account, message),
          encodeNotHere(connection, device, account, 7, 9),
        ];
        const batch = fromBinary(RelayBatchSchema, encodeBatch(gateway, entries, total(entries)));
        expect(batch.gateway).toBe(gateway);
        expect(batch.inputs.map((input) => input.kind.case)).toEqual(['send', 'ack', 'notHere']);
        expect(batch.inputs[0]).toMatchObject({ connection, device, account, kind: { value: message } });
      }),
    );
  });

  it('come back as they went in', () => {
    const id = new Uint8Array(16).fill(3);
    const inputs = [encodeRelayInput('send', 5, id, id, new Uint8Array([1])), encodeNotHere(6, id, id, 77, 9)];
    const seen: unknown[] = [];
    forEachRelayInput(encodeBatch(4, inputs, total(inputs)), (gateway, input) => seen.push([gateway, input.connection, input.notHere]));
    expect(seen).toEqual([
      [4, 5, undefined],
      [4, 6, 77],
    ]);
  });

  it('bring frames and shared payloads to connections, in order', () => {
    fc.assert(
      fc.property(uint32, fc.array(fc.tuple(uint32, uint32), { minLength: 1, maxLength: 20 }), payload, (relay, recipients, body) => {
        const entries = [
          encodeGatewayOutput(8, new Uint8Array([1, 2, 3])),
          encodeSharedDelivery(body, recipients.flat()),
          encodeGatewayOutput(9, new Uint8Array([4])),
        ];
        const batch = encodeBatch(relay, entries, total(entries));
        const seen: unknown[] = [];
        readGatewayBatch(batch, { frame: (...frame) => seen.push(frame), delivery: (...delivery) => seen.push(delivery) });
        expect(seen).toEqual([
          [relay, 8, new Uint8Array([1, 2, 3])],
          ...recipients.map(([connection, delivery]) => [relay, connection, delivery, body]),
          [relay, 9, new Uint8Array([4])],
        ]);
        const { outputs, deliveries } = fromBinary(GatewayBatchSchema, batch);
        expect(outputs.map(({ connection }) => connection)).toEqual([8, 9]);
        const halves = recipients.map(([connection, delivery]) => (BigInt(delivery) << 32n) | BigInt(connection));
        expect(deliveries).toMatchObject([{ payload: body, recipients: halves }]);
      }),
    );
  });
});

/** A Deliver in one piece, as its connection gets it. */
function deliver(relay: number, delivery: number, body: Uint8Array): Uint8Array {
  const start = encodeDeliverStart(relay, delivery, body.length);
  const frame = new Uint8Array(start.length + body.length);
  frame.set(start);
  frame.set(body, start.length);
  expect(entryLength(start)).toBe(frame.length);
  return frame;
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function total(parts: Uint8Array[]): number {
  return parts.reduce((length, part) => length + part.length, 0);
}
