import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { pinOf } from '@sotto/channel';
import {
  KEY_BYTES,
  NAME_PATTERN,
  type PeerIntroduction,
  PeerIntroductionSchema,
  type PeerProof,
  PeerProofSchema,
  signedBytes,
  toHex,
} from '@sotto/protocol';
import { ClientError } from '../client-error.js';
import { isSignedBy, type KeyPair, sign } from '../sodium.js';

/** Whose devices MLS credentials of peers name, in the place of a server. */
export const PEER_HOME = 'peer';

/** Who somebody is without a server: a key, and what is made of it. */
export interface PeerIdentity {
  readonly name: string;
  /** Ed25519, 32 bytes. */
  readonly identityKey: Uint8Array;
  /** SHA-256 of the key, lower-case hex, as the two ids that are its halves: nobody can claim those of another. */
  readonly pin: string;
  readonly account: string;
  readonly device: string;
}

/** In which part of a meeting a proof is good: one can't be given back to who made it. */
export type PeerRole = 'peerListener' | 'peerDialer';

export async function identityOf(name: string, identityKey: Uint8Array): Promise<PeerIdentity> {
  const pin = toHex(await pinOf(identityKey));
  return { name, identityKey, pin, account: pin.slice(0, pin.length / 2), device: pin.slice(pin.length / 2) };
}

/** @param binding of the channel: a proof is good there and nowhere else */
export function prove(name: string, keys: KeyPair, role: PeerRole, binding: Uint8Array): PeerProof {
  const introduction = toBinary(PeerIntroductionSchema, create(PeerIntroductionSchema, { name, identityKey: keys.publicKey }));
  return create(PeerProofSchema, { introduction, signature: sign(signedBytes(role, binding, introduction), keys) });
}

/** Throws ClientError `peer-unproven`. */
export function provenIdentity({ introduction, signature }: PeerProof, role: PeerRole, binding: Uint8Array): Promise<PeerIdentity> {
  const { name, identityKey } = parsed(introduction);
  if (!NAME_PATTERN.test(name) || identityKey.length !== KEY_BYTES) throw unproven('introduced itself in a way that makes no sense');
  if (!isSignedBy(identityKey, signedBytes(role, binding, introduction), signature))
    throw unproven('did not prove that it has its key on this connection: somebody may stand between you. Nothing was sent');
  return identityOf(name, identityKey);
}

function parsed(introduction: Uint8Array): PeerIntroduction {
  try {
    return fromBinary(PeerIntroductionSchema, introduction);
  } catch {
    throw unproven('introduced itself in a way that makes no sense');
  }
}

function unproven(what: string): ClientError {
  return new ClientError('peer-unproven', `the other end ${what}`);
}
