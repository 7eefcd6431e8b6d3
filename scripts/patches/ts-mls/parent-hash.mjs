const COVERAGE = 'RFC 9420 §7.9.2: the whole of parent-hash validity, and in time that does not grow with the square of the members';

export const parentHash = {
  file: 'parentHash.js',
  mended: '6a1a3b8e0a169f9b378bbe4a748d192f301a3a3e5efbb0ac4c1acb64394783cf',
  edits: [
    {
      why: COVERAGE,
      find: `import { findFirstNonBlankAncestor, removeLeaves } from "./ratchetTree.js";`,
      replace: `import { findFirstNonBlankAncestor, removeLeaves, resolution } from "./ratchetTree.js";`,
    },
    {
      why: COVERAGE,
      find: `import { isLeaf, leafWidth, left, right, root, toNodeIndex } from "./treemath.js";`,
      replace: `import { isAncestor, isLeaf, leafToNodeIndex, leafWidth, left, right, root, toLeafIndex, toNodeIndex } from "./treemath.js";`,
    },
    {
      why: COVERAGE,
      find: `function parentHashCoverage(tree, h) {
    return tree.reduce(async (acc, node, nodeIndex) => {
        let currentIndex = toNodeIndex(nodeIndex);
        if (!isLeaf(currentIndex) || node === undefined)
            return acc;
        let updated = { ...(await acc) };
        const rootIndex = root(leafWidth(tree.length));
        while (currentIndex !== rootIndex) {
            const currentNode = tree[currentIndex];
            // skip blank nodes
            if (currentNode === undefined) {
                continue;
            }
            // parentHashNodeIndex is the node index where the nearest non blank ancestor was
            const [parentHash, parentHashNodeIndex] = await calculateParentHash(tree, currentIndex, h);
            if (parentHashNodeIndex === undefined) {
                throw new InternalError("Reached root before completing parent hash coeverage");
            }
            const expectedParentHash = getParentHash(currentNode);
            if (expectedParentHash !== undefined && constantTimeEqual(parentHash, expectedParentHash)) {
                const newCount = (updated[parentHashNodeIndex] ?? 0) + 1;
                updated = { ...updated, [parentHashNodeIndex]: newCount };
            }
            else {
                // skip to next leaf
                break;
            }
            currentIndex = parentHashNodeIndex;
        }
        return updated;
    }, Promise.resolve({}));
}`,
      replace: `async function parentHashCoverage(tree, h) {
    const coverage = {};
    for (let leaf = 0; leaf < tree.length; leaf += 2) {
        for (let index = toNodeIndex(leaf); index !== undefined && tree[index] !== undefined;) {
            index = await coveredBy(tree, index, h);
            if (index !== undefined)
                coverage[index] = (coverage[index] ?? 0) + 1;
        }
    }
    return coverage;
}
/** The nearest non-blank ancestor, if this node carries its parent hash and nothing came below it on this side without it knowing. */
async function coveredBy(tree, index, h) {
    const expected = getParentHash(tree[index]);
    if (expected === undefined)
        return undefined;
    const [parentHash, ancestor] = await calculateParentHash(tree, index, h);
    if (ancestor === undefined || tree[ancestor] === undefined || !constantTimeEqual(parentHash, expected))
        return undefined;
    return unmergedBeside(tree, index, ancestor) ? ancestor : undefined;
}
function unmergedBeside(tree, index, ancestor) {
    const child = index < ancestor ? left(ancestor) : right(ancestor);
    const beside = resolution(tree, child).filter((each) => each !== index);
    const unmerged = tree[ancestor].parent.unmergedLeaves
        .map((leaf) => leafToNodeIndex(toLeafIndex(leaf)))
        .filter((each) => each === child || (each < ancestor) === (child < ancestor) && isAncestor(each, child, tree.length));
    return beside.length === unmerged.length && beside.every((each) => unmerged.includes(each));
}`,
    },
    {
      why: 'nothing is copied where no leaf is to be left out',
      find: `const removedUnmerged = removeLeaves(tree, parentNode.parent.unmergedLeaves);`,
      replace: `const removedUnmerged = parentNode.parent.unmergedLeaves.length === 0 ? tree : removeLeaves(tree, parentNode.parent.unmergedLeaves);`,
    },
  ],
};
