export { BUS, BusError, type Bus, type Subscription } from './bus.js';
export { InProcessBus } from './in-process-bus.js';
export { connectNatsBus, type NatsBus, type NatsBusOptions } from './nats-bus.js';
