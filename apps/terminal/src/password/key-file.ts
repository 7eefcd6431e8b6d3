import { ClientError } from '@sotto/client';
import { createKeyFile, readKeyFile } from '@sotto/client/node';
import type { KeyFileSource } from '../command-line/secrets.js';
import { UsageError } from '../command-line/usage-error.js';
import { confirm, type Terminal } from './hidden-prompt.js';

export interface KeyFilePorts {
  readonly confirm: (question: string) => Promise<boolean>;
  readonly warn: (text: string) => void;
}

export function onTerminal(terminal: Terminal): KeyFilePorts {
  return { confirm: (question) => confirm(terminal, question), warn: (text) => void terminal.output.write(`sotto: ${text}\n`) };
}

/** @param isStored there is a store already, which only a file that is there can open. Throws UsageError. */
export async function openKeyFile({ path, isNew }: KeyFileSource, isStored: boolean, ports: KeyFilePorts): Promise<Uint8Array> {
  try {
    const found = await readKeyFile(path);
    if (found?.isOpenToOthers === true)
      ports.warn(`others on this machine may read the key file ${path}, and with it what is stored here: chmod 600 ${path}`);
    if (found !== undefined) return found.key;
    if (isStored)
      throw new UsageError(`there is no key file ${path}: without the one that it was made with, what is stored here does not open`);
    if (!isNew && !(await ports.confirm(`There is no key file ${path}. Make one? Whoever loses it loses what is stored here.`)))
      throw new UsageError(`there is no key file ${path}: --new-key-file makes it`);
    return await createKeyFile(path);
  } catch (error) {
    throw error instanceof ClientError ? new UsageError(error.message) : error;
  }
}
