export { startTopology, type Topology, type TopologyKind, type TopologyOptions } from './topology.js';
