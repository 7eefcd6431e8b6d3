export const sender = {
  file: 'sender.js',
  mended: 'ebd5bace131cc35a9bc3d5b1e8fdd707af91df8f5672888e4a1213eeb2c38607',
  edits: [
    {
      why: 'a writer is given the bytes themselves',
      find: `(offset, buffer) => {
        const view = new Uint8Array(buffer, offset, 4);
        view.set(g, 0);
    },`,
      replace: `(offset, bytes) => {
        bytes.set(g, offset);
    },`,
    },
  ],
};
