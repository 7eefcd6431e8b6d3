export const transcriptHash = {
  file: 'transcriptHash.js',
  mended: 'c559dc1bfb26e8b1957b4600006fe7bfae13b533672c4240349af186db215a0e',
  edits: [
    {
      why: 'a writer is given the bytes themselves',
      find: `const buf = new ArrayBuffer(interimTranscriptHash.byteLength + len);
    const arr = new Uint8Array(buf);
    arr.set(interimTranscriptHash, 0);
    write(interimTranscriptHash.byteLength, buf);`,
      replace: `const arr = new Uint8Array(interimTranscriptHash.byteLength + len);
    arr.set(interimTranscriptHash, 0);
    write(interimTranscriptHash.byteLength, arr);`,
    },
    {
      why: 'as above, for the other hash',
      find: `const buf = new ArrayBuffer(confirmedHash.byteLength + len);
    const arr = new Uint8Array(buf);
    arr.set(confirmedHash, 0);
    write(confirmedHash.byteLength, buf);`,
      replace: `const arr = new Uint8Array(confirmedHash.byteLength + len);
    arr.set(confirmedHash, 0);
    write(confirmedHash.byteLength, arr);`,
    },
  ],
};
