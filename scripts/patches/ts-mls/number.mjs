export const number = {
  file: 'codec/number.js',
  mended: '625ca18a2fe5373db9f45f3afca968d83e0a6e4d046efccab744e192769ac352',
  edits: [
    {
      why: 'what the numbers of four and of eight bytes are written by, see below',
      find: `import { encode } from "./tlsEncoder.js";
`,
      replace: `import { encode } from "./tlsEncoder.js";
function writeUint32(bytes, offset, n) {
    bytes[offset] = n >> 24;
    bytes[offset + 1] = n >> 16;
    bytes[offset + 2] = n >> 8;
    bytes[offset + 3] = n;
}
`,
    },
    {
      why: 'a writer is given the bytes themselves: a view was made for each number',
      find: `(offset, buffer) => {
        const view = new DataView(buffer);
        view.setUint8(offset, n);
    },`,
      replace: `(offset, bytes) => {
        bytes[offset] = n;
    },`,
    },
    {
      why: 'as above, for two bytes',
      find: `(offset, buffer) => {
        const view = new DataView(buffer);
        view.setUint16(offset, n);
    },`,
      replace: `(offset, bytes) => {
        bytes[offset] = n >> 8;
        bytes[offset + 1] = n;
    },`,
    },
    {
      why: 'as above, for four',
      find: `(offset, buffer) => {
        const view = new DataView(buffer);
        view.setUint32(offset, n);
    },`,
      replace: `(offset, bytes) => writeUint32(bytes, offset, n),`,
    },
    {
      why: 'as above, for eight: a view would take the engine to move a small array off its heap',
      find: `(offset, buffer) => {
        const view = new DataView(buffer);
        view.setBigUint64(offset, n);
    },`,
      replace: `(offset, bytes) => {
        writeUint32(bytes, offset, Number((n >> 32n) & 0xffffffffn));
        writeUint32(bytes, offset + 4, Number(n & 0xffffffffn));
    },`,
    },
    {
      why: 'a reader needs no view for two bytes, and none that throws to say that they are not there',
      find: `    const view = new DataView(b.buffer, b.byteOffset, b.byteLength);
    try {
        return [view.getUint16(offset), 2];
    }
    catch (e) {
        return undefined;
    }`,
      replace: `    return offset + 2 > b.length ? undefined : [(b[offset] << 8) | b[offset + 1], 2];`,
    },
    {
      why: 'as above, for four',
      find: `    const view = new DataView(b.buffer, b.byteOffset, b.byteLength);
    try {
        return [view.getUint32(offset), 4];
    }
    catch (e) {
        return undefined;
    }`,
      replace: `    return offset + 4 > b.length
        ? undefined
        : [((b[offset] << 24) | (b[offset + 1] << 16) | (b[offset + 2] << 8) | b[offset + 3]) >>> 0, 4];`,
    },
  ],
};
