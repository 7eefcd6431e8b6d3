import type { Extension } from '#ts-mls/extension.js';
import { MlsError } from './mls-error.js';

/** GroupContext extension of the private range: what all members agree on beside who they are. */
export const GROUP_DATA_EXTENSION = 0xf5a1;
/** Everybody who joins receives it. */
export const MAX_GROUP_DATA_BYTES = 65_536;

export function groupDataExtensions(data: Uint8Array): Extension[] {
  const extensions = [{ extensionType: GROUP_DATA_EXTENSION, extensionData: data }];
  groupDataOf(extensions);
  return extensions;
}

/** Throws MlsError `invalid` unless the group data is the one extension there is. */
export function groupDataOf(extensions: readonly Extension[]): Uint8Array {
  const [extension, ...more] = extensions;
  if (extension?.extensionType !== GROUP_DATA_EXTENSION || more.length > 0) throw new MlsError('invalid', 'not just the group data');
  if (extension.extensionData.length > MAX_GROUP_DATA_BYTES) throw new MlsError('invalid', 'too much group data');
  return extension.extensionData;
}
