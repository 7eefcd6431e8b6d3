import type { ClientConfig } from '#ts-mls/clientConfig.js';
import type { ClientState } from '#ts-mls/clientState.js';
import { mapDecoders, type Decoder } from '#ts-mls/codec/tlsDecoder.js';
import { contramapBufferEncoders, encode, type Encoder } from '#ts-mls/codec/tlsEncoder.js';
import { decodeVarLenData, varLenDataEncoder } from '#ts-mls/codec/variableLength.js';
import { decodeGroupActiveState, groupActiveStateEncoder } from '#ts-mls/groupActiveState.js';
import { decodeGroupContext, groupContextEncoder } from '#ts-mls/groupContext.js';
import { decodeKeySchedule, keyScheduleEncoder } from '#ts-mls/keySchedule.js';
import { decodePrivateKeyPath, privateKeyPathEncoder } from '#ts-mls/privateKeyPath.js';
import { decodeRatchetTree, ratchetTreeEncoder } from '#ts-mls/ratchetTree.js';
import { decodeSecretTree, secretTreeEncoder } from '#ts-mls/secretTree.js';
import { concat, sameBytes } from './crypto/bytes.js';
import { MlsError } from './mls-error.js';
import { decodeWhole } from './wire.js';

const VERSION = 1;

type Epoch = Pick<ClientState, 'groupContext' | 'keySchedule' | 'ratchetTree' | 'privatePath' | 'confirmationTag' | 'groupActiveState'>;
type Ratchets = Pick<ClientState, 'confirmationTag' | 'secretTree'>;

/** The device's own, the same in all of its states. */
export type DevicePart = { readonly signaturePrivateKey: Uint8Array; readonly clientConfig: ClientConfig };

const encodeEpochPart: Encoder<Epoch> = encode(
  contramapBufferEncoders(
    [groupContextEncoder, keyScheduleEncoder, ratchetTreeEncoder, privateKeyPathEncoder, varLenDataEncoder, groupActiveStateEncoder],
    (state: Epoch) =>
      [state.groupContext, state.keySchedule, state.ratchetTree, state.privatePath, state.confirmationTag, state.groupActiveState] as const,
  ),
);

const decodeEpochPart: Decoder<Epoch> = mapDecoders(
  [decodeGroupContext, decodeKeySchedule, decodeRatchetTree, decodePrivateKeyPath, decodeVarLenData, decodeGroupActiveState],
  (groupContext, keySchedule, ratchetTree, privatePath, confirmationTag, groupActiveState) => ({
    groupContext,
    keySchedule,
    ratchetTree,
    privatePath,
    confirmationTag,
    groupActiveState,
  }),
);

// With the confirmation tag, which no two epochs share: so parts of two epochs are never taken for one state.
const encodeRatchetPart: Encoder<Ratchets> = encode(
  contramapBufferEncoders([varLenDataEncoder, secretTreeEncoder], (state: Ratchets) => [state.confirmationTag, state.secretTree] as const),
);

const decodeRatchetPart: Decoder<Ratchets> = mapDecoders([decodeVarLenData, decodeSecretTree], (confirmationTag, secretTree) => ({
  confirmationTag,
  secretTree,
}));

function decodePart<T>(decoder: Decoder<T>, bytes: Uint8Array): T {
  if (bytes[0] !== VERSION) throw new MlsError('malformed', 'a group state of an unknown version');
  try {
    return decodeWhole(decoder, bytes.slice(1));
  } catch {
    throw new MlsError('malformed', 'not a group state');
  }
}

/** What changes with a commit only. */
export function encodeEpoch(state: ClientState): Uint8Array {
  return concat(Uint8Array.of(VERSION), encodeEpochPart(state));
}

/** What changes with every message. */
export function encodeRatchets(state: ClientState): Uint8Array {
  return concat(Uint8Array.of(VERSION), encodeRatchetPart(state));
}

/** Throws MlsError `malformed`, also for parts of two epochs. */
export function decodeParts(epochBytes: Uint8Array, ratchetBytes: Uint8Array, device: DevicePart): ClientState {
  const epoch = decodePart(decodeEpochPart, epochBytes);
  const { confirmationTag, secretTree } = decodePart(decodeRatchetPart, ratchetBytes);
  if (!sameBytes(confirmationTag, epoch.confirmationTag)) throw new MlsError('malformed', 'parts of two epochs');
  return { ...epoch, secretTree, ...device, unappliedProposals: {}, historicalReceiverData: new Map() };
}
