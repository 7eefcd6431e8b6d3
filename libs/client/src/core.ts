// The client without its rim, for whoever brings clock, network and disk: the simulation. Programs use the entry of the package.
export { Group } from './groups/group.js';
export type { GroupNotice, Rung, Step } from './groups/group-ports.js';
export { GROUP_RULES, type GroupRules, KEPT_STATES } from './groups/group-rules.js';
export { type HelloKey, sealHello } from './groups/hello.js';
export type { Intent } from './groups/intent.js';
export { Messenger, type GroupView } from './messaging/messenger.js';
export type { Claimed, IncomingReceipt, MessengerNotice, MessengerPorts, OutgoingSend, PackageStock } from './messaging/messenger-ports.js';
export { sodiumReady } from './sodium.js';
export { Journal } from './storage/journal.js';
export { decodeRecord, encodeRecord } from './storage/record.js';
export type { Change, Store } from './storage/store.js';
