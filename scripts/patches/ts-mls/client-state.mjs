export const clientState = {
  file: 'clientState.js',
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
      why: 'RFC 9420 §12.1.7: a GroupContextExtensions proposal replaces the list, also by an empty one',
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
