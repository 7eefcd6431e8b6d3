export const messageProtection = {
  file: 'messageProtection.js',
  mended: 'f66cb1e24445fe18d61d2215acc1eee29b04209c6d12823b7033d3f580c0d54c',
  edits: [
    {
      why: 'the ratchet may be underived still: consumeRatchet refuses a leaf outside the tree',
      find: `const node = secretTree[leafToNodeIndex(toLeafIndex(leafIndex))];
    if (node === undefined)
        throw new InternalError("Bad node index for secret tree");
    const { newTree,`,
      replace: `const { newTree,`,
    },
    {
      why: 'RFC 9420 §6.3.2: the sender must be a non-blank leaf; the verdict was dropped',
      find: `    validateSenderData(senderData, ratchetTree);`,
      replace: `    const invalidSender = validateSenderData(senderData, ratchetTree);
    if (invalidSender !== undefined)
        throw invalidSender;`,
    },
  ],
};
