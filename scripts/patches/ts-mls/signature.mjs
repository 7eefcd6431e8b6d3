export const signature = {
  file: 'crypto/signature.js',
  mended: '076f590b4099b9cf2b44211b7f1d446d26aecba40a54aa44f1866acc92c16c35',
  edits: [
    {
      why: 'what is signed is encoded by one encoder, and by labels that are few and known',
      find: `import { composeBufferEncoders, encode } from "../codec/tlsEncoder.js";
import { varLenDataEncoder } from "../codec/variableLength.js";
`,
      replace: `import { composeBufferEncoders, encode } from "../codec/tlsEncoder.js";
import { varLenDataEncoder } from "../codec/variableLength.js";
const text = new TextEncoder();
const labels = new Map();
function bytesOf(label) {
    const known = labels.get(label) ?? text.encode(\`MLS 1.0 \${label}\`);
    labels.set(label, known);
    return known;
}
const encodeSignContent = encode(composeBufferEncoders([varLenDataEncoder, varLenDataEncoder]));
`,
    },
    {
      why: 'as above, where it is signed',
      find: `s.sign(signKey, encode(composeBufferEncoders([varLenDataEncoder, varLenDataEncoder]))([
        new TextEncoder().encode(\`MLS 1.0 \${label}\`),
        content,
    ]))`,
      replace: `s.sign(signKey, encodeSignContent([bytesOf(label), content]))`,
    },
    {
      why: 'as above, where it is verified',
      find: `s.verify(publicKey, encode(composeBufferEncoders([varLenDataEncoder, varLenDataEncoder]))([
        new TextEncoder().encode(\`MLS 1.0 \${label}\`),
        content,
    ]), signature)`,
      replace: `s.verify(publicKey, encodeSignContent([bytesOf(label), content]), signature)`,
    },
  ],
};
