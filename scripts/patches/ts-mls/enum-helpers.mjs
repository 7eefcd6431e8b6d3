export const enumHelpers = {
  file: 'util/enumHelpers.js',
  mended: '7ed01bc4f5ed589f9e1cb7e59cb93afeae563cd31599509ac9f02d56f589e273',
  edits: [
    {
      why: 'the names of an enumeration are turned round once, and not for each value that is read',
      find: `return (n) => (Object.values(t).includes(n) ? reverseMap(t)[n] : undefined);`,
      replace: `const names = new Map(Object.entries(t).map(([name, value]) => [value, name]));
    return (n) => names.get(n);`,
    },
    {
      why: 'as above, where other values are allowed',
      find: `return (n) => {
        const decoded = enumNumberToKey(rec)(n);`,
      replace: `const nameOf = enumNumberToKey(rec);
    return (n) => {
        const decoded = nameOf(n);`,
    },
  ],
};
