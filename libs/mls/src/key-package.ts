import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { DeliveryAddressSchema, fromHex, ID_BYTES, toHex, TOKEN_BYTES } from '@sotto/protocol';
import type { Extension } from '#ts-mls/extension.js';
import type { KeyPackage, PrivateKeyPackage } from '#ts-mls/keyPackage.js';
import type { LeafNode } from '#ts-mls/leafNode.js';
import type { Capabilities } from '#ts-mls/capabilities.js';
import { concat } from './crypto/bytes.js';
import { SUITE_NAME } from './crypto/suite.js';
import { GROUP_DATA_EXTENSION } from './group-data.js';
import { MlsError } from './mls-error.js';

/** Leaf node extension of the private range: where and by what right to send to this leaf. */
export const DELIVERY_ADDRESS_EXTENSION = 0xf5a0;
/** RFC 9420's registry, `last_resort`: a key package extension. */
const LAST_RESORT_EXTENSION = 0x000a;
/** Longest life a key package may claim, in seconds. */
export const MAX_LIFETIME_SECONDS = 120 * 86_400;

export const LEAF_ID_BYTES = ID_BYTES;
const PRIVATE_VERSION = 1;
const SECRET_BYTES = 32;

export const CAPABILITIES: Capabilities = {
  versions: ['mls10'],
  ciphersuites: [SUITE_NAME],
  extensions: [DELIVERY_ADDRESS_EXTENSION, GROUP_DATA_EXTENSION, LAST_RESORT_EXTENSION],
  proposals: [],
  credentials: ['basic'],
};

/** Unix seconds. */
export interface Lifetime {
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface DeliveryAddress {
  /** Lower-case hex. */
  readonly device: string;
  /** 32 bytes. */
  readonly token: Uint8Array;
  /** 16 random bytes in lower-case hex, made with the key package and kept as long as the leaf. */
  readonly leaf: string;
}

/** A key package of one's own. */
export interface OwnKeyPackage {
  /** MLSMessage with a KeyPackage. */
  readonly publicBytes: Uint8Array;
  /** The init and leaf secrets. To be deleted once the joined state is durable, unless a last resort. */
  readonly privateBytes: Uint8Array;
}

export const LAST_RESORT: Extension = { extensionType: LAST_RESORT_EXTENSION, extensionData: new Uint8Array() };

export function addressExtension({ device, token, leaf }: DeliveryAddress): Extension {
  if (token.length !== TOKEN_BYTES) throw new MlsError('invalid', 'a delivery token has the wrong length');
  const message = create(DeliveryAddressSchema, { device: fromHex(device), token, leaf: fromHex(leaf) });
  return { extensionType: DELIVERY_ADDRESS_EXTENSION, extensionData: toBinary(DeliveryAddressSchema, message) };
}

function parseAddress(bytes: Uint8Array): DeliveryAddress | undefined {
  try {
    const { device, token, leaf } = fromBinary(DeliveryAddressSchema, bytes);
    if (device.length !== ID_BYTES || token.length !== TOKEN_BYTES || leaf.length !== ID_BYTES) return undefined;
    return { device: toHex(device), token, leaf: toHex(leaf) };
  } catch {
    return undefined;
  }
}

/** Throws MlsError `bad-credential` unless the leaf has exactly one well-formed address. */
export function addressOf(leaf: LeafNode): DeliveryAddress {
  const [extension, ...more] = leaf.extensions.filter((each) => each.extensionType === DELIVERY_ADDRESS_EXTENSION);
  const address = extension === undefined ? undefined : parseAddress(extension.extensionData);
  if (address === undefined || more.length > 0) throw new MlsError('bad-credential', 'a leaf without one delivery address');
  return address;
}

/** The leaf's extensions with another delivery token. */
export function withToken(leaf: LeafNode, token: Uint8Array): Extension[] {
  const renewed = addressExtension({ ...addressOf(leaf), token });
  return leaf.extensions.map((each) => (each.extensionType === DELIVERY_ADDRESS_EXTENSION ? renewed : each));
}

export function isLastResort(keyPackage: KeyPackage): boolean {
  return keyPackage.extensions.some((each) => each.extensionType === LAST_RESORT_EXTENSION);
}

export function encodePrivate({ initPrivateKey, hpkePrivateKey }: PrivateKeyPackage): Uint8Array {
  return concat(Uint8Array.of(PRIVATE_VERSION), initPrivateKey, hpkePrivateKey);
}

export function decodePrivate(bytes: Uint8Array, signaturePrivateKey: Uint8Array): PrivateKeyPackage {
  if (bytes[0] !== PRIVATE_VERSION || bytes.length !== 1 + 2 * SECRET_BYTES) throw new MlsError('malformed', 'not a key package secret');
  return {
    initPrivateKey: bytes.slice(1, 1 + SECRET_BYTES),
    hpkePrivateKey: bytes.slice(1 + SECRET_BYTES),
    signaturePrivateKey,
  };
}

/** Bounded life, a pure function of the package: every member decides it alike, whenever it sees the commit. */
export function checkLifetimeLength({ leafNode }: KeyPackage): void {
  const { notBefore, notAfter } = leafNode.lifetime;
  if (notAfter <= notBefore || notAfter - notBefore > BigInt(MAX_LIFETIME_SECONDS)) throw new MlsError('lifetime-too-long');
}

export function checkAlive(keyPackage: KeyPackage, now: number): void {
  checkLifetimeLength(keyPackage);
  const { notBefore, notAfter } = keyPackage.leafNode.lifetime;
  if (BigInt(now) < notBefore || BigInt(now) > notAfter) throw new MlsError('expired');
}
