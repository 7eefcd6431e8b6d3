/** Who a leaf is, once its account's signature has been verified. Ids are lower-case hex. */
export interface DeviceIdentity {
  readonly server: string;
  readonly account: string;
  readonly accountName: string;
  readonly device: string;
  /** Ed25519, 32 bytes. */
  readonly accountKey: Uint8Array;
}
