// The frames and batches of the hot path, encoded by hand to the same .proto files; frames.spec.ts holds both encodings together.
export {
  encodeAck,
  encodeDeliverStart,
  encodeReceipt,
  encodeSend,
  entryLength,
  forEachFrame,
  FrameKind,
  idOfSend,
  type OutgoingSend,
  type ParsedAck,
  type ParsedDeliver,
  type ParsedReceipt,
  type ParsedSend,
  parseAck,
  parseDeliver,
  parseReceipt,
  parseSend,
  wrapFrame,
} from './frames.js';
export {
  encodeBatch,
  encodeGatewayOutput,
  encodeNotHere,
  encodeRelayInput,
  encodeSharedDelivery,
  forEachRelayInput,
  type GatewayBatchVisitor,
  type ParsedRelayInput,
  readGatewayBatch,
} from './batches.js';
export { hasMoreFieldsThan, textIn } from './field-count.js';
export { shortLived } from './short-lived.js';
export { WireError } from './wire.js';
