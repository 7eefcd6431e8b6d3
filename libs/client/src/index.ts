export { reduceOutbox } from './outbox/outbox.js';
export { encodeContent } from './content/content.js';
export { Connection } from './connection/connection.js';
export { MemoryStore } from './storage/memory.store.js';
