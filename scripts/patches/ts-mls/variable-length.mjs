export const variableLength = {
  file: 'codec/variableLength.js',
  mended: 'cc839983dadd9eca916a2af84ccb262b5a79641ae8ca6435ca31854ecb97b300',
  edits: [
    {
      why: 'the writers of a vector are a list: as nested functions, one for each element, they went as deep as the vector is long',
      find: `let writeTotal = (_offset, _buffer) => { };
        for (let i = 0; i < data.length; i++) {
            const [len, write] = enc(data[i]);
            const oldFunc = writeTotal;
            const currentLen = totalLength;
            writeTotal = (offset, buffer) => {
                oldFunc(offset, buffer);
                write(offset + currentLen, buffer);
            };
            totalLength += len;
        }`,
      replace: `const starts = [];
        const writers = [];
        for (let i = 0; i < data.length; i++) {
            const [len, write] = enc(data[i]);
            starts.push(totalLength);
            writers.push(write);
            totalLength += len;
        }
        const writeTotal = (offset, buffer) => {
            for (let i = 0; i < writers.length; i++)
                writers[i](offset + starts[i], buffer);
        };`,
    },
    {
      why: 'a writer is given the bytes themselves: a view was made for each vector',
      find: `const view = new Uint8Array(buffer);
            view.set(data, offset + len);`,
      replace: `buffer.set(data, offset + len);`,
    },
    {
      why: 'as above, and for its length',
      find: `const view = new DataView(buffer);
                view.setUint8(offset, len & 0b00111111);`,
      replace: `buffer[offset] = len;`,
    },
    {
      why: 'as above, for a length of two bytes',
      find: `const view = new DataView(buffer);
                view.setUint8(offset, ((len >> 8) & 0b00111111) | 0b01000000);
                view.setUint8(offset + 1, len & 0xff);`,
      replace: `buffer[offset] = (len >> 8) | 0b01000000;
                buffer[offset + 1] = len;`,
    },
    {
      why: 'as above, for one of four',
      find: `const view = new DataView(buffer);
                view.setUint8(offset, ((len >> 24) & 0b00111111) | 0b10000000);
                view.setUint8(offset + 1, (len >> 16) & 0xff);
                view.setUint8(offset + 2, (len >> 8) & 0xff);
                view.setUint8(offset + 3, len & 0xff);`,
      replace: `buffer[offset] = (len >> 24) | 0b10000000;
                buffer[offset + 1] = len >> 16;
                buffer[offset + 2] = len >> 8;
                buffer[offset + 3] = len;`,
    },
  ],
};
