import { byteArray } from './ts-mls/byte-array.mjs';
import { clientState } from './ts-mls/client-state.mjs';
import { createCommit } from './ts-mls/create-commit.mjs';
import { createCommitTypes } from './ts-mls/create-commit-types.mjs';
import { enumHelpers } from './ts-mls/enum-helpers.mjs';
import { kdf } from './ts-mls/kdf.mjs';
import { leafNode } from './ts-mls/leaf-node.mjs';
import { messageProtection } from './ts-mls/message-protection.mjs';
import { number } from './ts-mls/number.mjs';
import { optional } from './ts-mls/optional.mjs';
import { parentHash } from './ts-mls/parent-hash.mjs';
import { pathSecrets } from './ts-mls/path-secrets.mjs';
import { privateKeyPath } from './ts-mls/private-key-path.mjs';
import { processMessages } from './ts-mls/process-messages.mjs';
import { secretTree } from './ts-mls/secret-tree.mjs';
import { secretTreeTypes } from './ts-mls/secret-tree-types.mjs';
import { sender } from './ts-mls/sender.mjs';
import { signature } from './ts-mls/signature.mjs';
import { tlsDecoder } from './ts-mls/tls-decoder.mjs';
import { tlsEncoder, tlsEncoderTypes } from './ts-mls/tls-encoder.mjs';
import { transcriptHash } from './ts-mls/transcript-hash.mjs';
import { treeHash } from './ts-mls/tree-hash.mjs';
import { updatePath } from './ts-mls/update-path.mjs';
import { variableLength } from './ts-mls/variable-length.mjs';

/** The defects of ts-mls 1.6.4 that concern us, file by file. The hashes are SHA-256 of the mended files. */
export const TS_MLS = {
  version: '1.6.4',
  source: 'node_modules/ts-mls',
  /** Below the source. */
  modules: 'dist/src',
  /** Whose imports of `#ts-mls/…` say what is needed of it. */
  wantedBy: 'libs/mls/src',
  target: 'libs/mls/dist/ts-mls',
  files: [
    byteArray,
    clientState,
    createCommit,
    createCommitTypes,
    enumHelpers,
    kdf,
    leafNode,
    messageProtection,
    number,
    optional,
    parentHash,
    pathSecrets,
    privateKeyPath,
    processMessages,
    secretTree,
    secretTreeTypes,
    sender,
    signature,
    tlsDecoder,
    tlsEncoder,
    tlsEncoderTypes,
    transcriptHash,
    treeHash,
    updatePath,
    variableLength,
  ],
};
