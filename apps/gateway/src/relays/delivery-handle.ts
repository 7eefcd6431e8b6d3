import { forEachFrame, FrameKind, parseAck } from '@sotto/protocol/frames';

/** The relay's number of the delivery when the frame is a Deliver (its handle is encoded as an Ack's), else undefined. */
export function handleOfDelivery(frame: Uint8Array): number | undefined {
  let delivery: number | undefined;
  forEachFrame(frame, (kind, start, end) => {
    if (kind === FrameKind.DELIVER) delivery = parseAck(frame.subarray(start, Math.min(end, start + 9))).delivery;
  });
  return delivery;
}
