export const createCommit = {
  file: 'createCommit.js',
  mended: '8f577a96a78075a82bdc820aaaa95fbeb310e0268f53faf636f2e760fad62621',
  edits: [
    {
      why: 'the committer may renew the extensions of its leaf node, which needs a path',
      find: `authenticatedData = new Uint8Array(), groupInfoExtensions = [], } = options`,
      replace: `authenticatedData = new Uint8Array(), groupInfoExtensions = [], leafNodeExtensions, } = options`,
    },
    {
      why: 'RFC 9420 §12.4.2: the path is encrypted under the new GroupContext, its extensions included',
      find: `const [tree, updatePath, pathSecrets, newPrivateKey] = res.needsUpdatePath
        ? await createUpdatePath(res.tree, toLeafIndex(state.privatePath.leafIndex), state.groupContext, state.signaturePrivateKey, cipherSuite, excludeNodes)
        : [res.tree, undefined, [], undefined];
    const updatedExtensions = res.additionalResult.kind === "memberCommit" && res.additionalResult.extensions.length > 0
        ? res.additionalResult.extensions
        : state.groupContext.extensions;
    const groupContextWithExtensions = { ...state.groupContext, extensions: updatedExtensions };`,
      replace: `const updatedExtensions = res.additionalResult.kind === "memberCommit" && res.additionalResult.extensions !== undefined
        ? res.additionalResult.extensions
        : state.groupContext.extensions;
    const groupContextWithExtensions = { ...state.groupContext, extensions: updatedExtensions };
    const [tree, updatePath, pathSecrets, newPrivateKey] = res.needsUpdatePath || leafNodeExtensions !== undefined
        ? await createUpdatePath(res.tree, toLeafIndex(state.privatePath.leafIndex), groupContextWithExtensions, state.signaturePrivateKey, cipherSuite, excludeNodes, leafNodeExtensions)
        : [res.tree, undefined, [], undefined];`,
    },
    {
      why: 'two commits on one epoch must not use one generation: the advanced ratchets go back to the caller',
      find: `const [commit, _newTree, consumedSecrets] = await protectCommit`,
      replace: `const [commit, usedSecretTree, consumedSecrets] = await protectCommit`,
    },
    {
      why: 'two commits on one epoch must not use one generation: the advanced ratchets go back to the caller',
      find: `return { newState, welcome, commit, consumed };`,
      replace: `return { newState, welcome, commit, consumed, usedSecretTree };`,
    },
  ],
};
