export { LeaseHolder } from './lease-holder.js';
export { LeaseWatch } from './lease-watch.js';
export { gatewayEventSubject, gatewayOutSubject, incarnationText, relayInSubject } from './incarnation.js';
