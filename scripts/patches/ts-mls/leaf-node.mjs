export const leafNode = {
  file: 'leafNode.js',
  mended: 'e6cb6ec7f0f5387312b8174e78327b77359fe67bd3918af166e943cc60079e56',
  edits: [
    {
      why: 'a leaf is written once: it stands in what is signed, in what is hashed, and in the trees of many epochs, and is never changed',
      find: `export const leafNodeEncoder = contramapBufferEncoders([leafNodeDataEncoder, leafNodeInfoOmittedEncoder, varLenDataEncoder], (leafNode) => [leafNode, leafNode, leafNode.signature]);`,
      replace: `const encodeFields = encode(contramapBufferEncoders([leafNodeDataEncoder, leafNodeInfoOmittedEncoder, varLenDataEncoder], (leafNode) => [leafNode, leafNode, leafNode.signature]));
const encoded = new WeakMap();
export const leafNodeEncoder = (leafNode) => {
    const known = encoded.get(leafNode) ?? encodeFields(leafNode);
    encoded.set(leafNode, known);
    return [known.length, (offset, bytes) => bytes.set(known, offset)];
};`,
    },
  ],
};
