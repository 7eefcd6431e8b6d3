export const processMessages = {
  file: 'processMessages.js',
  mended: '311198112e2d3fee503b41dbc2be6e0cf4e6e3f23ca9605a225e25fb9aad8bfc',
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
  ],
};
