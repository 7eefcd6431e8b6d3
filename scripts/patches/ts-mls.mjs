/** Defects of ts-mls 1.6.4, mended in place. The hashes are SHA-256, of the file as published and as mended. */
export const tsMls = [
  {
    file: 'node_modules/ts-mls/dist/src/clientState.js',
    published: '63645bc3be6ec7f6d4f6d88af5c0b63e34f5e1fea693c62bd958d228b51b6f61',
    mended: 'd6d953a26b9c4e3d80a641a85bdcee47361a7f40db4eb02e18d72078b2ecabb3',
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
    ],
  },
  {
    file: 'node_modules/ts-mls/dist/src/processMessages.js',
    published: '76af00782a40c5bd3d8475e99c8f1e0b3e4549ff30d906232188a3f7e8b4163e',
    mended: '2ce7b944f1f766ff603540640051220d663852808089dd18284247e8f7ab8506',
    edits: [
      {
        why: 'the pre-shared keys of the caller hold for private messages as well',
        find: `processPrivateMessage(state, message.privateMessage, emptyPskIndex, cs, action)`,
        replace: `processPrivateMessage(state, message.privateMessage, pskIndex, cs, action)`,
      },
    ],
  },
];
