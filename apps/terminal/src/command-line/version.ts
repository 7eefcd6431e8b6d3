import { SUBPROTOCOL } from '@sotto/client';

/** As package.json says; a spec compares. */
export const VERSION = '0.1.0';

export function versionText(): string {
  return `sotto ${VERSION} (Node ${process.version}, protocol ${SUBPROTOCOL})`;
}
