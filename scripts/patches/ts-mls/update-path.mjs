const ALONE =
  'RFC 9420 §7.4: the commit secret comes from the last path secret, also when the path has no node but the leaf: it was zero, and whoever was removed read on';

export const updatePath = {
  file: 'updatePath.js',
  mended: 'f620ee647f736ce874c3c7b972e9d1a0f1f946aadd0911df88c8dbba1573b61b',
  edits: [
    {
      why: 'the committer may renew the extensions of its leaf node',
      find: `signaturePrivateKey, cs, excludeNodes = []) {`,
      replace: `signaturePrivateKey, cs, excludeNodes = [], leafNodeExtensions) {`,
    },
    {
      why: 'the committer may renew the extensions of its leaf node',
      find: `extensions: originalLeafNode.leaf.extensions,`,
      replace: `extensions: leafNodeExtensions ?? originalLeafNode.leaf.extensions,`,
    },
    {
      why: ALONE,
      find: `return [treeWithHashes, updatePath, pathSecrets, leafKeypair.privateKey];`,
      replace: `const commitSecret = await deriveSecret(ps[0].secret, "path", cs.kdf);
    return [treeWithHashes, updatePath, pathSecrets, leafKeypair.privateKey, commitSecret];`,
    },
  ],
};
