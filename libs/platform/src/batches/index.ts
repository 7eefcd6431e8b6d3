export { BatchPublisher } from './batch-publisher.js';
