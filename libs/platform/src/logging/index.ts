export { describeError } from './describe-error.js';
export { JsonLogger, type LoggerOptions } from './json-logger.js';
