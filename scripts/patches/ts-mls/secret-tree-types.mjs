export const secretTreeTypes = {
  file: 'secretTree.d.ts',
  mended: '9b72215fdb84cfa0a3c4daaccae0b4ee2c0df30dcae089911d29f733fe106de1',
  edits: [
    {
      why: 'most nodes of a lazily derived tree are a secret still, or nothing any more',
      find: `export type SecretTree = SecretTreeNode[];`,
      replace: `export type SecretTree = (SecretTreeNode | { secret: Uint8Array } | undefined)[];`,
    },
    {
      why: 'the ratchets of a leaf, if derived; and a tree in which they are',
      find: `export declare function deriveNonce(`,
      replace: `export declare function ratchetsOf(tree: SecretTree, leafIndex: number): SecretTreeNode | undefined;
export declare function withRatchets(tree: SecretTree, leafIndex: number, kdf: Kdf): Promise<SecretTree>;
export declare function deriveNonce(`,
    },
  ],
};
