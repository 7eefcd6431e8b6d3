export const processMessages = {
  file: 'processMessages.js',
  mended: '17e32786113350455af805060cbf82815fcc34e730149014330b8570234eaeda',
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
  ],
};
