/** Every bound that a client can run into, in one table (docs/protocol.md § Limits). Bytes, unless the name says otherwise. */
export const LIMITS = {
  /** A sealed box as it crosses the WebSocket. */
  boxBytes: 512 * 1024,
  /** A message of a client that has not attached: an Attach with all its revoked capabilities, and room for more. */
  strangerMessageBytes: 96 * 1024,
  payloadBytes: 256 * 1024,
  recipientsPerSend: 1_000,
  devicesPerAccount: 10,
  /** With the open requests they fit into one box, whatever their names. */
  contactsPerAccount: 4_500,
  /** Devices of an account that wait for approval at once. */
  approvalsPerAccount: 4,
  approvalMessages: 4,
  approvalMessageBytes: 1_024,
  /** What a device calls itself while it waits. */
  deviceNameBytes: 64,
  /** Contact requests of an account that wait for an answer. */
  openRequestsPerAccount: 100,
  /** Open calls of a connection. */
  openCallsPerConnection: 64,
  /** Body of a Call. */
  callBytes: 256 * 1024,
  /** Fields of it, with those of the messages in it: an Attach with all its revoked capabilities, and room for more. */
  callFields: 4_200,
  nameMinLength: 3,
  nameMaxLength: 32,
  passwordMinBytes: 10,
  passwordMaxBytes: 1_024,
  revokedCapabilities: 4_096,
  keyPackageBytes: 8 * 1024,
  /** One-time key packages of a device. */
  oneTimeKeyPackages: 100,
  /** All key packages that a device has in stock together; those of this repository's clients have less than 1 KiB each. */
  stockedKeyPackageBytes: 128 * 1024,
  keyPackagesLowWater: 25,
  /** Whom a device that listens for peers knows at most: strangers choose their names themselves. */
  peers: 200,
  /** Connections of a listener, and those of them that have not proven who they are: together, and of one address. */
  peerConnections: 256,
  unprovenPeers: 32,
  unprovenPeersPerAddress: 8,
  /** A message of a peer that has not proven who it is. */
  unprovenPeerBytes: 8 * 1024,
  /** Unsent bytes after which a peer that does not read is let go. */
  peerUnsentBytes: 16 * 1024 * 1024,
  /** Unacknowledged deliveries of a device at each relay. */
  deliveryWindow: 256,
  deliveryWindowBytes: 1024 * 1024,
  /** Unsent bytes after which a client is disconnected that takes none of them any more, and one that does. */
  unsentBytes: 1024 * 1024,
  mostUnsentBytes: 8 * 1024 * 1024,
  /** A message on the bus. */
  busMessageBytes: 1024 * 1024,
  /** Where a batch for a gateway is cut. */
  busBatchBytes: 256 * 1024,
} as const;

/** How long things live, in milliseconds unless the name says otherwise. */
export const TIMES = {
  heartbeatMs: 30_000,
  leaseMs: 3_000,
  /** With too much unsent, how long a client may take none of it. */
  unsentMs: 20_000,
  acceptedAfterMs: 100,
  requestLifetimeDays: 90,
  credentialLifetimeDays: 90,
  accessTokenSeconds: 300,
  approvalSeconds: 600,
  retryWindowDefaultSeconds: 30,
  retryWindowMaxSeconds: 24 * 3_600,
  certificateSeconds: 24 * 3_600,
  /** From a connection to the proof of who made it, between peers. */
  peerHandshakeMs: 10_000,
} as const;

export const NAME_PATTERN = /^[a-z0-9_]{3,32}$/;
/** A name, with the tag that the server may have appended. */
export const TAGGED_NAME_PATTERN = /^[a-z0-9_]{3,32}(\.[0-9]{4,8})?$/;
