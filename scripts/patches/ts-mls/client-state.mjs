export const clientState = {
  file: 'clientState.js',
  mended: '0c171dad479a9beda05afd2ce98fe749b77bcc76de7a5a598c937fd4ba93ae5c',
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
    {
      why: 'RFC 9420 §12.1.8.1: external_senders is a vector, all of it',
      find: `import { decodeExternalSender } from "./externalSender.js";`,
      replace: `import { decodeExternalSender } from "./externalSender.js";
import { decodeVarLenType } from "./codec/variableLength.js";`,
    },
    {
      why: 'RFC 9420 §12.1.8.1: external_senders is a vector, all of it',
      find: `        const decoded = decodeExternalSender(externalSender.extensionData, 0);
        if (decoded === undefined)
            return new CodecError("Could not decode external_senders");
        const validCredential = await authService.validateCredential(decoded[0].credential, decoded[0].signaturePublicKey);
        if (!validCredential)
            return new ValidationError("Could not validate external credential");
`,
      replace: `        const decoded = decodeVarLenType(decodeExternalSender)(externalSender.extensionData, 0);
        if (decoded === undefined || decoded[1] !== externalSender.extensionData.length)
            return new CodecError("Could not decode external_senders");
        for (const { credential, signaturePublicKey } of decoded[0]) {
            if (!(await authService.validateCredential(credential, signaturePublicKey)))
                return new ValidationError("Could not validate external credential");
        }
`,
    },
    {
      why: 'RFC 9420 §7.3: the keys of the new leaf are compared with those in the tree; only those in the tree were, with each other',
      find: `    const hpkeKeys = new Set();
    const signatureKeys = new Set();
    for (const [nodeIndex, node] of tree.entries()) {
        if (node?.nodeType === "leaf") {
            if (!node.leaf.capabilities.credentials.includes(leafNode.credential.credentialType)) {
                return new ValidationError("LeafNode has credential that is not supported by member of the group");
            }
            const hpkeKey = bytesToBase64(node.leaf.hpkePublicKey);
            if (hpkeKeys.has(hpkeKey))
                return new ValidationError("hpke keys not unique");
            else
                hpkeKeys.add(hpkeKey);
            const signatureKey = bytesToBase64(node.leaf.signaturePublicKey);
            if (signatureKeys.has(signatureKey) && existingLeafIndex !== nodeToLeafIndex(toNodeIndex(nodeIndex)))
                return new ValidationError("signature keys not unique");
            else
                signatureKeys.add(signatureKey);
        }
        else if (node?.nodeType === "parent") {
            const hpkeKey = bytesToBase64(node.parent.hpkePublicKey);
            if (hpkeKeys.has(hpkeKey))
                return new ValidationError("hpke keys not unique");
            else
                hpkeKeys.add(hpkeKey);
        }
    }
`,
      replace: `    for (const [nodeIndex, node] of tree.entries()) {
        if (node === undefined)
            continue;
        if (constantTimeEqual(getHpkePublicKey(node), leafNode.hpkePublicKey))
            return new ValidationError("hpke keys not unique");
        if (node.nodeType === "parent")
            continue;
        if (!node.leaf.capabilities.credentials.includes(leafNode.credential.credentialType))
            return new ValidationError("LeafNode has credential that is not supported by member of the group");
        if (existingLeafIndex !== nodeToLeafIndex(toNodeIndex(nodeIndex)) && constantTimeEqual(node.leaf.signaturePublicKey, leafNode.signaturePublicKey))
            return new ValidationError("signature keys not unique");
    }
`,
    },
    {
      why: 'a member that the same commit removes may be added anew',
      find: `await validateKeyPackage(proposal.add.keyPackage, gc, ratchetTree, sentByClient,`,
      replace: `await validateKeyPackage(proposal.add.keyPackage, gc, tree, sentByClient,`,
    },
    {
      why: 'as above',
      find: `findBlankLeafNodeIndexOrExtend, findLeafIndex, ratchetTreeEncoder,`,
      replace: `findBlankLeafNodeIndexOrExtend, findLeafIndex, getHpkePublicKey, ratchetTreeEncoder,`,
    },
    {
      why: 'RFC 9420 §12.4.3.1: a path secret must give the public key that stands in the tree',
      find: `await toPrivateKeyPath(await pathToRoot(tree, ancestorNodeIndex, groupSecrets.pathSecret, cs.kdf), newLeaf, cs)`,
      replace: `await toPrivateKeyPath(await pathToRoot(tree, ancestorNodeIndex, groupSecrets.pathSecret, cs.kdf), newLeaf, cs, tree)`,
    },
  ],
};
