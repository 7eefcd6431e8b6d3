export { nodeProvider } from './crypto/node-provider.js';
