export const createCommitTypes = {
  file: 'createCommit.d.ts',
  mended: 'ec29c2f1069626a4cb7c961f11602b48a719e556ca9bf47f8d9f898d9024d84a',
  edits: [
    {
      why: 'the type of the option that createCommit takes',
      find: `authenticatedData?: Uint8Array;\n}`,
      replace: `authenticatedData?: Uint8Array;\n    leafNodeExtensions?: Extension[];\n}`,
    },
    {
      why: 'the type of what createCommit returns',
      find: `consumed: Uint8Array[];\n}`,
      replace: `consumed: Uint8Array[];\n    usedSecretTree: ClientState["secretTree"];\n}`,
    },
  ],
};
