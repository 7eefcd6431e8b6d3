/** Who calls a handler, as the gateway (or another service) vouches for it on the bus. Ids are lower-case hex; '' when anonymous. */
export interface RpcCaller {
  account: string;
  device: string;
  pending: boolean;
  /** Transcript hash of the connection's outer channel, 32 bytes; empty for service calls. */
  channelBinding: Uint8Array;
  /** The client's address as limits count it; '' for service calls. */
  address: string;
  /** Name of the calling service, '' for clients. */
  service: string;
}
