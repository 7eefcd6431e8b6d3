export const kdf = {
  file: 'crypto/kdf.js',
  mended: '3fd4062813b100d4d05dd800f142fb6f6870c354e0f3816fe0e75584e029cf52',
  edits: [
    {
      why: 'the encoder of a label is made once: a message takes a dozen of them',
      find: `import { composeBufferEncoders, encode } from "../codec/tlsEncoder.js";
`,
      replace: `import { contramapBufferEncoders, encode } from "../codec/tlsEncoder.js";
const text = new TextEncoder();
const encodeKdfLabel = encode(contramapBufferEncoders([uint16Encoder, varLenDataEncoder, varLenDataEncoder], (fields) => fields));
`,
    },
    {
      why: 'as above, where it is used',
      find: `encode(composeBufferEncoders([uint16Encoder, varLenDataEncoder, varLenDataEncoder]))([
        length,
        new TextEncoder().encode(\`MLS 1.0 \${label}\`),
        context,
    ])`,
      replace: `encodeKdfLabel([length, text.encode(\`MLS 1.0 \${label}\`), context])`,
    },
  ],
};
