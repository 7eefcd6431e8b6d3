export { optionsOf } from './options-of.js';
export { type Standalone, type StandaloneOptions, startStandalone } from './standalone.js';
export { describeError } from '@sotto/platform/logging';
