import type { StoreSecret } from '@sotto/client/node';
import type { JoinCommand } from '../command-line/commands/join.js';
import type { SecretSource } from '../command-line/secrets.js';
import type { Terminal } from '../password/hidden-prompt.js';
import { onTerminal, openKeyFile } from '../password/key-file.js';
import { readPassword } from '../password/password.js';

/** Of a store that is there. Throws UsageError. */
export async function readStoreSecret({ keyFile }: JoinCommand, password: SecretSource, terminal: Terminal): Promise<StoreSecret> {
  return keyFile === undefined ? readPassword(password, terminal, false) : openKeyFile(keyFile, true, onTerminal(terminal));
}
