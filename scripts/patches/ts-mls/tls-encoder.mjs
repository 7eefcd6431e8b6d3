export const tlsEncoder = {
  file: 'codec/tlsEncoder.js',
  mended: 'c371a657d528e8894d4c3f7abbe502a265506feab95fe3e9de91c16b6216cd07',
  edits: [
    {
      why: 'the writers of a structure are a list: as nested functions, one for each field, they went as deep as the structure has fields',
      find: `let totalLength = 0;
        let writeTotal = (_offset, _buffer) => { };
        for (let i = 0; i < encoders.length; i++) {
            const [len, write] = encoders[i](values[i]);
            const oldFunc = writeTotal;
            const currentLen = totalLength;
            writeTotal = (offset, buffer) => {
                oldFunc(offset, buffer);
                write(offset + currentLen, buffer);
            };
            totalLength += len;
        }`,
      replace: `let totalLength = 0;
        const starts = [];
        const writers = [];
        for (let i = 0; i < encoders.length; i++) {
            const [len, write] = encoders[i](values[i]);
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
