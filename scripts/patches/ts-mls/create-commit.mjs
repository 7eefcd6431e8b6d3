const ALONE = 'RFC 9420 §7.4: the commit secret of a path without parents is not zero';
const EXTERNAL_PUB = 'RFC 9420 §12.4.3.2: external_pub holds an HPKEPublicKey, which has its length before it (§5.1.1)';

export const createCommit = {
  file: 'createCommit.js',
  mended: '905926692c7e63dc7f1c09f0a500f95b4ef37b98fbec70c7a61928a2fd6af40e',
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
    {
      why: EXTERNAL_PUB,
      find: `import { encode } from "./codec/tlsEncoder.js";`,
      replace: `import { encode } from "./codec/tlsEncoder.js";
import { decodeVarLenData, varLenDataEncoder } from "./codec/variableLength.js";`,
    },
    {
      why: EXTERNAL_PUB,
      find: `[...extensions, { extensionType: "external_pub", extensionData: externalPub }]`,
      replace: `[...extensions, { extensionType: "external_pub", extensionData: encode(varLenDataEncoder)(externalPub) }]`,
    },
    {
      why: EXTERNAL_PUB,
      find: `        { extensionType: "external_pub", extensionData: externalPub },
`,
      replace: `        { extensionType: "external_pub", extensionData: encode(varLenDataEncoder)(externalPub) },
`,
    },
    {
      why: EXTERNAL_PUB,
      find: `await exportSecret(externalPub.extensionData, cs);`,
      replace: `await exportSecret(readExternalPub(externalPub.extensionData), cs);`,
    },
    {
      why: EXTERNAL_PUB,
      find: `export function filterNewLeaves(`,
      replace: `function readExternalPub(extensionData) {
    const [key, length] = decodeVarLenData(extensionData, 0);
    if (length !== extensionData.length)
        throw new ValidationError("external_pub is not just a key");
    return key;
}
export function filterNewLeaves(`,
    },
    {
      why: ALONE,
      find: `const [tree, updatePath, pathSecrets, newPrivateKey] = res.needsUpdatePath`,
      replace: `const [tree, updatePath, pathSecrets, newPrivateKey, pathCommitSecret] = res.needsUpdatePath`,
    },
    {
      why: ALONE,
      find: `    const lastPathSecret = pathSecrets.at(-1);
    const commitSecret = lastPathSecret === undefined
        ? new Uint8Array(cipherSuite.kdf.size)
        : await getCommitSecret(tree, toNodeIndex(lastPathSecret.nodeIndex), lastPathSecret.secret, cipherSuite.kdf);`,
      replace: `    const commitSecret = pathCommitSecret ?? new Uint8Array(cipherSuite.kdf.size);`,
    },
    {
      why: ALONE,
      find: `const [newTree, updatePath, pathSecrets, newPrivateKey] = await`,
      replace: `const [newTree, updatePath, pathSecrets, newPrivateKey, commitSecret] = await`,
    },
    {
      why: ALONE,
      find: `    const lastPathSecret = pathSecrets.at(-1);
    const commitSecret = lastPathSecret === undefined
        ? new Uint8Array(cs.kdf.size)
        : await getCommitSecret(newTree, toNodeIndex(lastPathSecret.nodeIndex), lastPathSecret.secret, cs.kdf);
`,
      replace: '',
    },
  ],
};
