const TOP =
  'RFC 9420 §7.4: the commit secret follows the last secret of the path, which ends below the root where all else beside it is blank';

export const pathSecrets = {
  file: 'pathSecrets.js',
  mended: '47aee509ced97470c3e285148348ffe87f9edb4ae48c881d27e6ba961bd442cf',
  edits: [
    {
      why: TOP,
      find: `    const rootIndex = root(leafWidth(tree.length));
    const path = await pathToRoot(tree, nodeIndex, pathSecret, kdf);
    const rootSecret = path[rootIndex];
    if (rootSecret === undefined)
        throw new InternalError("Could not find secret for root");
    return deriveSecret(rootSecret, "path", kdf);
}
export async function pathToRoot(tree, nodeIndex, pathSecret, kdf) {
    const rootIndex = root(leafWidth(tree.length));
    let currentIndex = nodeIndex;
    const pathSecrets = { [nodeIndex]: pathSecret };
    while (currentIndex != rootIndex) {
        const nextIndex = findFirstNonBlankAncestor(tree, currentIndex);
        const nextSecret = await deriveSecret(pathSecrets[currentIndex], "path", kdf);
        pathSecrets[nextIndex] = nextSecret;
        currentIndex = nextIndex;
    }
    return pathSecrets;
}`,
      replace: `    const [, topSecret] = (await climb(tree, nodeIndex, pathSecret, kdf)).at(-1);
    return deriveSecret(topSecret, "path", kdf);
}
export async function pathToRoot(tree, nodeIndex, pathSecret, kdf) {
    return Object.fromEntries(await climb(tree, nodeIndex, pathSecret, kdf));
}
/** The secret of the node and of each non-blank ancestor, bottom up. */
async function climb(tree, nodeIndex, pathSecret, kdf) {
    const rootIndex = root(leafWidth(tree.length));
    const path = [[nodeIndex, pathSecret]];
    for (let index = nodeIndex, secret = pathSecret; index !== rootIndex;) {
        index = findFirstNonBlankAncestor(tree, index);
        if (tree[index] === undefined)
            break;
        secret = await deriveSecret(secret, "path", kdf);
        path.push([index, secret]);
    }
    return path;
}`,
    },
    {
      why: TOP,
      find: `import { InternalError } from "./mlsError.js";\n`,
      replace: '',
    },
  ],
};
