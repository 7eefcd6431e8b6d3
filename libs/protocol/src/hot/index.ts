// The frames and batches of the hot path, encoded by hand to the same .proto files; frames.spec.ts holds both encodings together.
export {
  encodeDeliver,
  encodeReceipt,
  forEachFrame,
  FrameKind,
  type ParsedAck,
  type ParsedSend,
  parseAck,
  parseSend,
  wrapFrame,
} from './frames.js';
export {
  encodeBatch,
  encodeGatewayOutput,
  encodeNotHere,
  encodeRelayInput,
  forEachGatewayOutput,
  forEachRelayInput,
  type ParsedRelayInput,
} from './batches.js';
export { WireError } from './wire.js';
