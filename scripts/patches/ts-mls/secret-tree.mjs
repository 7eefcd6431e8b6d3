const LAZY = 'RFC 9420 §9.2: only the ratchets that are used are derived, and the secrets above them are forgotten then';

export const secretTree = {
  file: 'secretTree.js',
  mended: '1845915fb3be9ac95ed1511a0d1e59c7177dddaa3125bdde51f6f91598cdbeb8',
  edits: [
    {
      why: LAZY,
      find: `import { nodeWidth, root, right, isLeaf, left, leafToNodeIndex, toLeafIndex } from "./treemath.js";`,
      replace: `import { nodeWidth, root, right, left, leafToNodeIndex, leafWidth, nodeToLeafIndex, parent, toLeafIndex } from "./treemath.js";`,
    },
    {
      why: LAZY,
      find: `export const secretTreeEncoder = varLenTypeEncoder(secretTreeNodeEncoder);
export const decodeSecretTree = decodeVarLenType(decodeSecretTreeNode);
export function allSecretTreeValues(tree) {
    const arr = new Array(tree.length * 2);
    for (const node of tree) {
        arr.push(node.application.secret);
        arr.push(node.handshake.secret);
        for (const gen of Object.values(node.application.unusedGenerations)) {
            arr.push(gen);
        }
        for (const gen of Object.values(node.handshake.unusedGenerations)) {
            arr.push(gen);
        }
    }
    return arr;
}
function scaffoldSecretTree(leafWidth, encryptionSecret, kdf) {
    const tree = new Array(nodeWidth(leafWidth));
    const rootIndex = root(leafWidth);
    tree[rootIndex] = encryptionSecret;
    return deriveChildren(tree, rootIndex, kdf);
}
export async function createSecretTree(leafWidth, encryptionSecret, kdf) {
    const tree = await scaffoldSecretTree(leafWidth, encryptionSecret, kdf);
    return await Promise.all(tree.map(async (secret) => {
        const application = await createRatchetRoot(secret, "application", kdf);
        const handshake = await createRatchetRoot(secret, "handshake", kdf);
        return { handshake, application };
    }));
}
async function deriveChildren(tree, nodeIndex, kdf) {
    if (isLeaf(nodeIndex))
        return tree;
    const l = left(nodeIndex);
    const r = right(nodeIndex);
    const parentSecret = tree[nodeIndex];
    if (parentSecret === undefined)
        throw new InternalError("Bad node index for secret tree");
    const leftSecret = await expandWithLabel(parentSecret, "tree", new TextEncoder().encode("left"), kdf.size, kdf);
    const rightSecret = await expandWithLabel(parentSecret, "tree", new TextEncoder().encode("right"), kdf.size, kdf);
    tree[l] = leftSecret;
    tree[r] = rightSecret;
    return deriveChildren(await deriveChildren(tree, l, kdf), r, kdf);
}
`,
      replace: `// A node is { secret } until it is derived, and { handshake, application } at a leaf afterwards; most are neither.
const entryEncoder = contramapBufferEncoders([uint32Encoder, varLenDataEncoder, varLenTypeEncoder(secretTreeNodeEncoder)], ([index, node]) => [index, node.secret ?? new Uint8Array(), node.secret === undefined ? [node] : []]);
const decodeEntry = mapDecoders([decodeUint32, decodeVarLenData, decodeVarLenType(decodeSecretTreeNode)], (index, secret, [ratchets]) => [index, ratchets ?? { secret }]);
export const secretTreeEncoder = contramapBufferEncoders([uint32Encoder, varLenTypeEncoder(entryEncoder)], (tree) => [tree.length, [...tree.entries()].filter(([, node]) => node !== undefined)]);
export const decodeSecretTree = mapDecoders([decodeUint32, decodeVarLenType(decodeEntry)], (width, entries) => {
    const tree = new Array(width);
    for (const [index, node] of entries)
        tree[index] = node;
    return tree;
});
export function allSecretTreeValues(tree) {
    return tree.filter((node) => node !== undefined).flatMap((node) => node.secret !== undefined
        ? [node.secret]
        : [node.handshake, node.application].flatMap((ratchet) => [ratchet.secret, ...Object.values(ratchet.unusedGenerations)]));
}
export async function createSecretTree(leafWidth, encryptionSecret, kdf) {
    const tree = new Array(nodeWidth(leafWidth));
    // Copied, because the caller zeroes it.
    tree[root(leafWidth)] = { secret: encryptionSecret.slice() };
    return tree;
}
export function ratchetsOf(tree, leafIndex) {
    const node = tree[leafToNodeIndex(toLeafIndex(leafIndex))];
    return node?.secret === undefined ? node : undefined;
}
export async function withRatchets(tree, leafIndex, kdf) {
    const leaf = leafToNodeIndex(toLeafIndex(leafIndex));
    if (leaf >= tree.length)
        throw new InternalError("Bad node index for secret tree");
    if (ratchetsOf(tree, leafIndex) !== undefined)
        return tree;
    const copy = tree.slice();
    let index = leaf;
    while (copy[index] === undefined)
        index = parent(index, leafWidth(tree.length));
    while (index !== leaf) {
        const { secret } = copy[index];
        copy[index] = undefined;
        copy[left(index)] = { secret: await deriveChild(secret, LEFT, kdf) };
        copy[right(index)] = { secret: await deriveChild(secret, RIGHT, kdf) };
        index = leaf < index ? left(index) : right(index);
    }
    const { secret } = copy[leaf];
    copy[leaf] = {
        handshake: await createRatchetRoot(secret, "handshake", kdf),
        application: await createRatchetRoot(secret, "application", kdf),
    };
    return copy;
}
const LEFT = new TextEncoder().encode("left");
const RIGHT = new TextEncoder().encode("right");
function deriveChild(secret, side, kdf) {
    return expandWithLabel(secret, "tree", side, kdf.size, kdf);
}
`,
    },
    {
      why: 'how many generations may be skipped bounds the work of one message, so it must not grow with their square',
      find: `    let result = { ...current };
    for (let i = 0; i < generationDifference; i++) {
        const nextSecret = await deriveTreeSecret(result.secret, "secret", result.generation, kdf.size, kdf);
        const [updated, old] = updateUnusedGenerations(result, config.retainKeysForGenerations);
        consumed.push(...old);
        result = {
            secret: nextSecret,
            generation: result.generation + 1,
            unusedGenerations: updated,
        };
    }
    return [result, consumed];
}
function updateUnusedGenerations(s, retainGenerationsMax) {
    const withNew = { ...s.unusedGenerations, [s.generation]: s.secret };
    const generations = Object.keys(withNew);
    const result = generations.length >= retainGenerationsMax ? removeOldGenerations(withNew, retainGenerationsMax) : [withNew, []];
    return result;
}
`,
      replace: `    let { secret, generation } = current;
    // Copied once and not at every step, of which there may be thousands.
    const unused = { ...current.unusedGenerations };
    for (let i = 0; i < generationDifference; i++) {
        unused[generation] = secret;
        secret = await deriveTreeSecret(secret, "secret", generation, kdf.size, kdf);
        generation += 1;
    }
    const [unusedGenerations, old] = removeOldGenerations(unused, config.retainKeysForGenerations);
    consumed.push(...old);
    return [{ secret, generation, unusedGenerations }, consumed];
}
`,
    },
    {
      why: LAZY,
      find: `export async function ratchetToGeneration(tree, senderData, contentType, config, cs) {
    const index = leafToNodeIndex(toLeafIndex(senderData.leafIndex));
`,
      replace: `export async function ratchetToGeneration(secretTree, senderData, contentType, config, cs) {
    const tree = await withRatchets(secretTree, senderData.leafIndex, cs.kdf);
    const index = leafToNodeIndex(toLeafIndex(senderData.leafIndex));
`,
    },
    {
      why: LAZY,
      find: `export async function consumeRatchet(tree, index, contentType, cs) {
`,
      replace: `export async function consumeRatchet(secretTree, index, contentType, cs) {
    const tree = await withRatchets(secretTree, nodeToLeafIndex(index), cs.kdf);
`,
    },
  ],
};
