export const sender = {
  file: 'sender.js',
  mended: '4cf50199915d58db4a2e74c0dfdf846cc5fb688800e5820433a1dcab8deec76b',
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
    {
      why: 'four bytes are copied: for a view, the engine would first move the small array that they are in off its heap',
      find: `b.subarray(offset, offset + 4)`,
      replace: `b.slice(offset, offset + 4)`,
    },
  ],
};
