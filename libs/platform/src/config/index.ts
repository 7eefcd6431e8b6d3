export { ConfigError, loadConfig } from './load-config.js';
export { Secret, secret } from './secret.js';
export { whyUnreadable } from './why-unreadable.js';
