const TOP = 'RFC 9420 §7.4: the commit secret follows the last secret of the path, which may end below the root';

export const processMessages = {
  file: 'processMessages.js',
  mended: 'b2b3f31123baf88488f021c34935472a254714cee82e02cc27ad320a68fc98bd',
  edits: [
    {
      why: 'the pre-shared keys of the caller hold for private messages as well',
      find: `processPrivateMessage(state, message.privateMessage, emptyPskIndex, cs, action)`,
      replace: `processPrivateMessage(state, message.privateMessage, pskIndex, cs, action)`,
    },
    {
      why: 'RFC 9420 §12.1.7: a GroupContextExtensions proposal replaces the list, also by an empty one',
      find: `result.additionalResult.extensions.length > 0`,
      replace: `result.additionalResult.extensions !== undefined`,
    },
    {
      why: 'RFC 9420 §7.5: a path secret must give the public key that stands in the tree, or later commits lock the member out',
      find: `await toPrivateKeyPath(pathSecrets, state.privatePath.leafIndex, cs));`,
      replace: `await toPrivateKeyPath(pathSecrets, state.privatePath.leafIndex, cs, tree));`,
    },
    {
      why: TOP,
      find: `import { pathToRoot } from "./pathSecrets.js";`,
      replace: `import { getCommitSecret, pathToRoot } from "./pathSecrets.js";`,
    },
    {
      why: TOP,
      find: `    const rootIndex = root(leafWidth(tree.length));
    const rootSecret = pathSecrets[rootIndex];
    if (rootSecret === undefined)
        throw new InternalError("Could not find secret for root");
    const commitSecret = await deriveSecret(rootSecret, "path", cs.kdf);
`,
      replace: `    const commitSecret = await getCommitSecret(tree, toNodeIndex(secret.nodeIndex), secret.pathSecret, cs.kdf);
`,
    },
  ],
};
