import { ratchetsOf, type SecretTree } from '#ts-mls/secretTree.js';
import type { SenderData } from '#ts-mls/sender.js';
import { MlsError } from './mls-error.js';

/** No epochs: the caller keeps the state of each epoch, on every branch. */
export const RETENTION = { retainKeysForGenerations: 1000, maximumForwardRatchetSteps: 2000, retainKeysForEpochs: 0 };
const UNUSED = { generation: 0, unusedGenerations: {} as Readonly<Record<number, Uint8Array>> };

function ratchetOf(tree: SecretTree, leafIndex: number, kind: 'application' | 'handshake') {
  return ratchetsOf(tree, leafIndex)?.[kind] ?? UNUSED;
}

/** The generation of the next message of that leaf, as far as this state knows. */
export function nextGeneration(tree: SecretTree, leafIndex: number, kind: 'application' | 'handshake'): number {
  return ratchetOf(tree, leafIndex, kind).generation;
}

/** Throws MlsError `used-generation` or `generation-too-far`. */
export function checkGeneration({ leafIndex, generation }: SenderData, tree: SecretTree, kind: 'application' | 'handshake'): void {
  const { generation: next, unusedGenerations } = ratchetOf(tree, leafIndex, kind);
  if (generation < next && unusedGenerations[generation] === undefined) throw new MlsError('used-generation');
  if (generation - next > RETENTION.maximumForwardRatchetSteps) throw new MlsError('generation-too-far');
}
