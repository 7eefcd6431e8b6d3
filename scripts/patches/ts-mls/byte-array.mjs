export const byteArray = {
  file: 'util/byteArray.js',
  mended: '5e7ab11ce6beae0f6098173eefa7bde40ff375b431b649deb86df177da5e9fd5',
  edits: [
    {
      why: 'zeroing needs no randomness: all that is random comes from the provider',
      find: `crypto.getRandomValues(buf);\n    for (let i = 0; i < buf.length; i++) {\n        buf[i] ^= buf[i];\n    }`,
      replace: `buf.fill(0);`,
    },
  ],
};
