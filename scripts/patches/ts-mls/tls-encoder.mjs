export const tlsEncoder = {
  file: 'codec/tlsEncoder.js',
  mended: '369625fe0c54d81061cf7d38efe722b3cb67327e9253f7c114125d107d37efa8',
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
    {
      why: 'a writer is given the bytes themselves, and makes no view of its own for each field',
      find: `const buf = new ArrayBuffer(len);
        write(0, buf);
        return new Uint8Array(buf);`,
      replace: `const bytes = new Uint8Array(len);
        write(0, bytes);
        return bytes;`,
    },
  ],
};

export const tlsEncoderTypes = {
  file: 'codec/tlsEncoder.d.ts',
  mended: '2fae53458819e18a9a31f5352b3ebfbd36c3708589e3a32b4400ec506aaeb86d',
  edits: [
    {
      why: 'a writer is given the bytes themselves, and makes no view of its own for each field',
      find: `[number, (offset: number, buffer: ArrayBuffer) => void];
export declare function encode<T>`,
      replace: `[number, (offset: number, bytes: Uint8Array) => void];
export declare function encode<T>`,
    },
    {
      why: 'as above, for what has no bytes',
      find: `encVoid: [number, (offset: number, buffer: ArrayBuffer) => void];`,
      replace: `encVoid: [number, (offset: number, bytes: Uint8Array) => void];`,
    },
  ],
};
