/** Defects of ts-mls 1.6.4, mended in place. The hashes are SHA-256 of the mended files. */
const EXTENSIONS_REPLACED = 'RFC 9420 §12.1.7: a GroupContextExtensions proposal replaces the list, also by an empty one';

const clientState = {
  file: 'node_modules/ts-mls/dist/src/clientState.js',
  mended: '13e58747f49d02fe0278e71e3af365465540b69edd2dadb05d037060870845f5',
  edits: [
    {
      why: 'RFC 9420 §12.4.3.1: an unmerged leaf is a leaf, and it lies below the parent that lists it; one of the two was enough',
      find: `!== "leaf" && !dp.includes(toNodeIndex(i)))`,
      replace: `!== "leaf" || !dp.includes(toNodeIndex(i)))`,
    },
    {
      why: 'RFC 9420 §12.4.3.1: only the parents between the leaf and the one that lists it are to list it too',
      find: `for (const parentIdx of dp) {\n                    const dpNode`,
      replace: `for (const parentIdx of dp.slice(0, dp.indexOf(toNodeIndex(i)))) {\n                    const dpNode`,
    },
    {
      why: 'RFC 9420 §12.4.3.1: they list this leaf; their other unmerged leaves are their own',
      find: `!arraysEqual(dpNode.parent.unmergedLeaves, n.parent.unmergedLeaves)`,
      replace: `!dpNode.parent.unmergedLeaves.includes(unmergedLeaf)`,
    },
    {
      why: 'of two invalid adds the first rejection was never awaited, and an unhandled rejection ends a Node process',
      find: `throwIfDefined(await validateKeyPackage(proposal.add.keyPackage, gc, ratchetTree, sentByClient, lifetimeConfig, authService, s));\n        const [tree, ws] = await acc;`,
      replace: `const [tree, ws] = await acc;\n        throwIfDefined(await validateKeyPackage(proposal.add.keyPackage, gc, ratchetTree, sentByClient, lifetimeConfig, authService, s));`,
    },
    {
      why: 'the engine judges lifetimes by the time its caller gives: no clock is read',
      find: `if (sentByClient || config.validateLifetimeOnReceive)`,
      replace: `if (config.validateLifetimeOnReceive)`,
    },
    {
      why: 'RFC 9420 §12.4: only add, psk and reinit do without a path',
      find: `Object.values(grouped.remove).length > 0;`,
      replace: `Object.values(grouped.remove).length > 0 || grouped.group_context_extensions.length > 0;`,
    },
    {
      why: EXTENSIONS_REPLACED,
      find: `extensions: newExtensions,`,
      replace: `extensions: grouped.group_context_extensions.length > 0 ? newExtensions : undefined,`,
    },
    {
      why: 'whose leaf the same commit gives to another is removed as well',
      find: `const selfRemoved = mutatedTree[leafToNodeIndex(toLeafIndex(state.privatePath.leafIndex))] === undefined;`,
      replace: `const selfRemoved = grouped.remove.some(({ proposal }) => proposal.remove.removed === state.privatePath.leafIndex);`,
    },
  ],
};

const createCommit = {
  file: 'node_modules/ts-mls/dist/src/createCommit.js',
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

const createCommitTypes = {
  file: 'node_modules/ts-mls/dist/src/createCommit.d.ts',
  mended: 'ec29c2f1069626a4cb7c961f11602b48a719e556ca9bf47f8d9f898d9024d84a',
  edits: [
    {
      why: 'the type of the option that createCommit takes',
      find: `authenticatedData?: Uint8Array;\n}`,
      replace: `authenticatedData?: Uint8Array;\n    leafNodeExtensions?: Extension[];\n}`,
    },
    {
      why: 'the type of what createCommit returns',
      find: `consumed: Uint8Array[];\n}`,
      replace: `consumed: Uint8Array[];\n    usedSecretTree: ClientState["secretTree"];\n}`,
    },
  ],
};

const updatePath = {
  file: 'node_modules/ts-mls/dist/src/updatePath.js',
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

const processMessages = {
  file: 'node_modules/ts-mls/dist/src/processMessages.js',
  mended: '17e32786113350455af805060cbf82815fcc34e730149014330b8570234eaeda',
  edits: [
    {
      why: 'the pre-shared keys of the caller hold for private messages as well',
      find: `processPrivateMessage(state, message.privateMessage, emptyPskIndex, cs, action)`,
      replace: `processPrivateMessage(state, message.privateMessage, pskIndex, cs, action)`,
    },
    {
      why: EXTENSIONS_REPLACED,
      find: `result.additionalResult.extensions.length > 0`,
      replace: `result.additionalResult.extensions !== undefined`,
    },
  ],
};

const byteArray = {
  file: 'node_modules/ts-mls/dist/src/util/byteArray.js',
  mended: '5e7ab11ce6beae0f6098173eefa7bde40ff375b431b649deb86df177da5e9fd5',
  edits: [
    {
      why: 'zeroing needs no randomness: all that is random comes from the provider',
      find: `crypto.getRandomValues(buf);\n    for (let i = 0; i < buf.length; i++) {\n        buf[i] ^= buf[i];\n    }`,
      replace: `buf.fill(0);`,
    },
  ],
};

export const tsMls = [clientState, createCommit, createCommitTypes, updatePath, processMessages, byteArray];
