// For whoever lets others in: whose handshakes may be open, and when one ends for another. Without I/O; the caller knows the time.
export { AddressCounts } from './address-counts.js';
export { type Bounds, type Guest, GuestList } from './guest-list.js';
