/** Why a gateway closes a WebSocket: part of the protocol (docs/protocol.md § Closing). */
export const CloseCode = {
  /** RFC 6455: the server goes away. */
  GOING_AWAY: 1001,
  /** RFC 6455: a protocol error; no subprotocol in common. */
  NO_SUBPROTOCOL: 1002,
  /** RFC 6455: a message that is too long. */
  TOO_LONG: 1009,
  /** RFC 6455 registry: the server is full, or too many come from one address. */
  TRY_AGAIN_LATER: 1013,
  /** A box or frame that is none. */
  MALFORMED: 4000,
  /** A newer connection of the same device took over. */
  REPLACED: 4001,
  /** Nothing was heard for too long, the handshake took too long, or the connection is old. */
  TIMEOUT: 4002,
  /** The session was revoked. */
  REVOKED: 4003,
  /** The client does not read what it is sent. */
  TOO_SLOW: 4004,
} as const;
