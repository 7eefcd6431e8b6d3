export { createMetrics, METRICS, observeCalls } from './metrics.js';
