export { type HealthCheck, HealthServer } from './health-server.js';
