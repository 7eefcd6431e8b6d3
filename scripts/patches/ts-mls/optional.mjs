export const optional = {
  file: 'codec/optional.js',
  mended: '8aeebe2c65009d03a50e097f3e73ef37664206c61b0ebaee076d44ed260afb7c',
  edits: [
    {
      why: 'a writer is given the bytes themselves: a view was made for what is there',
      find: `(offset, buffer) => {
                    const view = new DataView(buffer);
                    view.setUint8(offset, 0x1);
                    write(offset + 1, buffer);
                },`,
      replace: `(offset, bytes) => {
                    bytes[offset] = 0x1;
                    write(offset + 1, bytes);
                },`,
    },
    {
      why: 'as above, for what is not there',
      find: `(offset, buffer) => {
                    const view = new DataView(buffer);
                    view.setUint8(offset, 0x0);
                },`,
      replace: `(offset, bytes) => {
                    bytes[offset] = 0x0;
                },`,
    },
  ],
};
