export const tlsDecoder = {
  file: 'codec/tlsDecoder.js',
  mended: '30ec80e2c23cbae757df1eb1b952f9c3e63fdcfac90fef7bfaaa923e943a6d5f',
  edits: [
    {
      why: 'the fields of a structure are collected in one array: a new one for each field made reading a large state mostly garbage collection',
      find: `const result = decoders.reduce((acc, decoder) => {
            if (!acc)
                return undefined;
            const decoded = decoder(b, acc.offset);
            if (!decoded)
                return undefined;
            const [value, length] = decoded;
            return {
                values: [...acc.values, value],
                offset: acc.offset + length,
                totalLength: acc.totalLength + length,
            };
        }, { values: [], offset, totalLength: 0 });
        if (!result)
            return;
        return [f(...result.values), result.totalLength];`,
      replace: `const values = [];
        let totalLength = 0;
        for (const decoder of decoders) {
            const decoded = decoder(b, offset + totalLength);
            if (!decoded)
                return undefined;
            values.push(decoded[0]);
            totalLength += decoded[1];
        }
        return [f(...values), totalLength];`,
    },
  ],
};
