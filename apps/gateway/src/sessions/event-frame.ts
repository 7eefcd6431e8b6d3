import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { EventSchema } from '@sotto/protocol';
import { FrameKind, wrapFrame } from '@sotto/protocol/frames';

/** An Event as an entry of Frames. */
export function eventFrame(event: MessageInitShape<typeof EventSchema>): Uint8Array {
  return wrapFrame(FrameKind.EVENT, toBinary(EventSchema, create(EventSchema, event)));
}
