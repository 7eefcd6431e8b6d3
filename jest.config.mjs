/** Specs run from their TypeScript source; other packages are what they publish (dist), so build first. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/test'],
  testMatch: ['**/*.spec.ts', '**/*.spec.tsx'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/fixtures/'],
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  resolver: '<rootDir>/scripts/jest-resolver.cjs',
  transform: {
    '^.+\\.tsx?$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', tsx: false, decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, react: { runtime: 'automatic' } },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  testSequencer: '<rootDir>/scripts/longest-first.mjs',
  // More than the two cores that we count on: half of what a suite of servers does is wait. A worker with its servers takes up to 1.5 GB.
  maxWorkers: 4,
  // Modules of a suite that is over stay in the memory of its worker.
  workerIdleMemoryLimit: '400MB',
  testTimeout: 20_000,
  injectGlobals: true,
};
