export { migrated } from './migrated.js';
export { type NodeCommand, runApp } from './node-process.js';
export { type Server, startServer, startTopology, type Topology, type TopologyKind, type TopologyOptions } from './topology.js';
