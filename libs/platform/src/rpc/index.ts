export { BusRpcServer, type BusRpcServerOptions } from './bus-rpc-server.js';
export type { RpcCaller } from './caller.js';
export { FORWARD_TIMEOUT_MS, RpcClient } from './rpc-client.js';
export { BUS_TRANSPORT, Rpc, type RpcHandler } from './rpc.decorator.js';
export { RpcError, tooManyFields } from './rpc-error.js';
export { subjectOf } from './subjects.js';
export { serviceCaller } from './wire-caller.js';
