export const variableLength = {
  file: 'codec/variableLength.js',
  mended: '773482f6869257afcae313d0faa7d4ba73a0a1462c8b915f291c24fdf91e4165',
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
  ],
};
