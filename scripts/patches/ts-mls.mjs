import { byteArray } from './ts-mls/byte-array.mjs';
import { clientState } from './ts-mls/client-state.mjs';
import { createCommit } from './ts-mls/create-commit.mjs';
import { createCommitTypes } from './ts-mls/create-commit-types.mjs';
import { processMessages } from './ts-mls/process-messages.mjs';
import { updatePath } from './ts-mls/update-path.mjs';

/** The defects of ts-mls 1.6.4 that concern us, file by file. The hashes are SHA-256 of the mended files. */
export const TS_MLS = {
  version: '1.6.4',
  source: 'node_modules/ts-mls',
  /** Below the source. */
  modules: 'dist/src',
  /** Whose imports of `#ts-mls/…` say what is needed of it. */
  wantedBy: 'libs/mls/src',
  target: 'libs/mls/dist/ts-mls',
  files: [byteArray, clientState, createCommit, createCommitTypes, processMessages, updatePath],
};
