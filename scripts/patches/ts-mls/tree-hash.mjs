export const treeHash = {
  file: 'treeHash.js',
  mended: '93f5a444453c85efebf167a1e906dddd274a6c25ec3643af18f799bf5b335294',
  edits: [
    {
      why: 'nodes are never changed, so the hash of one is computed once: a commit changes a path of the tree and not the rest',
      find: `export async function treeHash(tree, subtreeIndex, h) {`,
      replace: `const known = new WeakMap();
// By hash function, then by node. A blank leaf is known by its index, a blank parent by the hash of its left child.
function knownBy(h) {
    let caches = known.get(h);
    if (caches === undefined) {
        caches = { nodes: new WeakMap(), blankLeaves: [] };
        known.set(h, caches);
    }
    return caches;
}
async function leafHash(leafNode, leafIndex, h) {
    const { nodes, blankLeaves } = knownBy(h);
    const before = leafNode === undefined ? blankLeaves[leafIndex] : nodes.get(leafNode);
    if (before?.leafIndex === leafIndex)
        return before.hash;
    const hash = await h.digest(encode(leafNodeHashInputEncoder)({ nodeType: "leaf", leafIndex, leafNode }));
    if (leafNode === undefined)
        blankLeaves[leafIndex] = { leafIndex, hash };
    else
        nodes.set(leafNode, { leafIndex, hash });
    return hash;
}
async function parentHash(parentNode, leftHash, rightHash, h) {
    const { nodes } = knownBy(h);
    const key = parentNode ?? leftHash;
    const before = nodes.get(key);
    if (before?.leftHash === leftHash && before.rightHash === rightHash)
        return before.hash;
    const hash = await h.digest(encode(parentNodeHashInputEncoder)({ nodeType: "parent", parentNode, leftHash, rightHash }));
    nodes.set(key, { leftHash, rightHash, hash });
    return hash;
}
export async function treeHash(tree, subtreeIndex, h) {`,
    },
    {
      why: 'the hash of a leaf as it is known',
      find: `const input = encode(leafNodeHashInputEncoder)({
            nodeType: "leaf",
            leafIndex: nodeToLeafIndex(subtreeIndex),
            leafNode: leafNode?.leaf,
        });
        return await h.digest(input);`,
      replace: `return leafHash(leafNode?.leaf, nodeToLeafIndex(subtreeIndex), h);`,
    },
    {
      why: 'the hash of a parent as it is known',
      find: `const input = {
            nodeType: "parent",
            parentNode: parentNode?.parent,
            leftHash: leftHash,
            rightHash: rightHash,
        };
        return await h.digest(encode(parentNodeHashInputEncoder)(input));`,
      replace: `return parentHash(parentNode?.parent, leftHash, rightHash, h);`,
    },
  ],
};
