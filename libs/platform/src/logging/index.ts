export { describeError, errorName } from './describe-error.js';
export { JsonLogger, type LoggerOptions } from './json-logger.js';
export { whyAway } from './why-away.js';
