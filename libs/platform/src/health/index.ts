export { type HealthCheck, HealthServer } from './health-server.js';
export { whyNotListening } from './why-not-listening.js';
