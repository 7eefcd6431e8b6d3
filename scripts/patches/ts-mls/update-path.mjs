export const updatePath = {
  file: 'updatePath.js',
  mended: '06e76d5b3c28adcd7ffd6c472669670969a8d31822ca09c358dc4e7a7d759f7e',
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
  ],
};
