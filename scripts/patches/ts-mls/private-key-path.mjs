const MATCHING = 'RFC 9420 §7.5 and §12.4.3.1: a path secret must give the public key that stands in the tree';

export const privateKeyPath = {
  file: 'privateKeyPath.js',
  mended: '5a64314fe63025f57f091506030e80a3458c4427df1e0d3d9f7d90524e14e0e3',
  edits: [
    {
      why: MATCHING,
      find: `import { leafToNodeIndex, toLeafIndex } from "./treemath.js";`,
      replace: `import { leafToNodeIndex, toLeafIndex } from "./treemath.js";
import { ValidationError } from "./mlsError.js";
import { constantTimeEqual } from "./util/constantTimeCompare.js";`,
    },
    {
      why: MATCHING,
      find: `export async function toPrivateKeyPath(pathSecrets, leafIndex, cs) {`,
      replace: `/** With a tree given, every key must be the one that stands there. */
export async function toPrivateKeyPath(pathSecrets, leafIndex, cs, tree) {`,
    },
    {
      why: MATCHING,
      find: `const { privateKey } = await cs.hpke.deriveKeyPair(nodeSecret);`,
      replace: `const { privateKey, publicKey } = await cs.hpke.deriveKeyPair(nodeSecret);
        const inTree = tree?.[nodeIndex]?.parent?.hpkePublicKey ?? new Uint8Array();
        if (tree !== undefined && !constantTimeEqual(await cs.hpke.exportPublicKey(publicKey), inTree))
            throw new ValidationError("A path secret does not belong to the public key in the tree");`,
    },
  ],
};
