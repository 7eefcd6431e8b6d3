// The outer channel (docs/protocol.md § Handshake, § Boxes): handshake and sealed boxes, as state machines over bytes. The caller does the I/O and knows the time.
export { ready } from './sodium.js';
export { ChannelError, type ChannelErrorReason } from './error.js';
export { type Answer, ClientHandshake, type GatewayIdentity, inspectServerHello, ServerHandshake } from './handshake.js';
export { BOXES_PER_KEY, SealedChannel } from './sealed-channel.js';
export { boxLength, MAX_FRAMES_BYTES, padmeLength } from './padding.js';
export { isSuccession, makeGatewayKey, pinOf, signCertificate, signSuccession, type SigningKeyPair, type Trust } from './certificate.js';
