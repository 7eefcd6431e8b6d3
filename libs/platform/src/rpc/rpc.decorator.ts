import type { DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { MessagePattern } from '@nestjs/microservices';
import { contractOf } from '@sotto/protocol';
import type { RpcCaller } from './caller.js';

export type RpcHandler<M extends DescMethodUnary> = (
  request: MessageShape<M['input']>,
  caller: RpcCaller,
) => Promise<MessageInitShape<M['output']>>;

/** Nest's transport id of the bus: handlers marked with it belong to BusRpcServer alone. */
export const BUS_TRANSPORT = Symbol('BUS_TRANSPORT');

/**
 * Marks a controller's method as the handler of an RPC method: `(@Payload() request, @Ctx() caller)`. The types are checked.
 * Throws TypeError when the .proto does not declare who may call it and at what rate.
 */
export function Rpc<M extends DescMethodUnary>(method: M) {
  const mark = MessagePattern(contractOf(method).name, BUS_TRANSPORT);
  return <H extends RpcHandler<M>>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<H>): void => {
    mark(target, key, descriptor);
  };
}
