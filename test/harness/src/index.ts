export { type NodeCommand, runApp } from './node-process.js';
export { startTopology, type Topology, type TopologyKind, type TopologyOptions } from './topology.js';
