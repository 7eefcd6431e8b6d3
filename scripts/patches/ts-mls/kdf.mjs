export const kdf = {
  file: 'crypto/kdf.js',
  mended: '0158f65aae2b902e03696c0a11211939f81b8d80fcc42db9c177fb5af55ee008',
  edits: [
    {
      why: 'a message takes a dozen of these: they are written as they are, by labels that are few and known',
      find: `import { uint16Encoder, uint32Encoder } from "../codec/number.js";
import { composeBufferEncoders, encode } from "../codec/tlsEncoder.js";
`,
      replace: `import { uint32Encoder } from "../codec/number.js";
import { encode } from "../codec/tlsEncoder.js";
const text = new TextEncoder();
const labels = new Map();
function encodedLabel(label) {
    const known = labels.get(label) ?? encode(varLenDataEncoder)(text.encode(\`MLS 1.0 \${label}\`));
    labels.set(label, known);
    return known;
}
// KDFLabel of RFC 9420 section 8.
function kdfLabel(length, label, context) {
    const encoded = encodedLabel(label);
    const [contextLength, writeContext] = varLenDataEncoder(context);
    const bytes = new Uint8Array(2 + encoded.length + contextLength);
    bytes[0] = length >> 8;
    bytes[1] = length;
    bytes.set(encoded, 2);
    writeContext(2 + encoded.length, bytes);
    return bytes;
}
`,
    },
    {
      why: 'as above, where it is used',
      find: `encode(composeBufferEncoders([uint16Encoder, varLenDataEncoder, varLenDataEncoder]))([
        length,
        new TextEncoder().encode(\`MLS 1.0 \${label}\`),
        context,
    ])`,
      replace: `kdfLabel(length, label, context)`,
    },
  ],
};
