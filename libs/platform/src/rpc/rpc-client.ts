import { create, type DescMethodUnary, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { contractOf, ErrorCode, type MethodContract } from '@sotto/protocol';
import { type RpcReply, RpcReplySchema, RpcRequestSchema } from '@sotto/protocol/internal';
import { type Bus, BusError } from '../bus/index.js';
import type { RpcCaller } from './caller.js';
import { RpcError } from './rpc-error.js';
import { subjectOf } from './subjects.js';
import { callerToWire, serviceCaller } from './wire-caller.js';

const CALL_TIMEOUT_MS = 5_000;
/** Longer than a call between services: handlers make such calls, and hash passwords in a queue. */
export const FORWARD_TIMEOUT_MS = 10_000;

/** Calls RPC methods over the bus. */
export class RpcClient {
  private readonly self: RpcCaller;

  constructor(
    private readonly bus: Bus,
    options: { service: string },
  ) {
    this.self = serviceCaller(options.service);
  }

  /** As this service. Throws RpcError: the one that the handler threw, or UNAVAILABLE when there was no answer. */
  async call<M extends DescMethodUnary>(
    method: M,
    request: MessageInitShape<M['input']>,
    options: { timeoutMs?: number } = {},
  ): Promise<MessageShape<M['output']>> {
    const body = toBinary<M['input']>(method.input, create<M['input']>(method.input, request));
    const reply = await this.exchange(contractOf(method), body, this.self, options.timeoutMs ?? CALL_TIMEOUT_MS);
    if (reply.error !== undefined) throw RpcError.fromWire(reply.error);
    return decodeResponse<M>(method, reply.body);
  }

  /** For a client, whose request and response are not looked at. Never throws: no answer is a reply with UNAVAILABLE. */
  async forward(contract: MethodContract, body: Uint8Array, caller: RpcCaller, options: { timeoutMs?: number } = {}): Promise<RpcReply> {
    try {
      return await this.exchange(contract, body, caller, options.timeoutMs ?? FORWARD_TIMEOUT_MS);
    } catch (error) {
      const known =
        error instanceof RpcError ? error : new RpcError(ErrorCode.INTERNAL, 'Something went wrong on the server. Try again later.');
      return create(RpcReplySchema, { error: known.toWire() });
    }
  }

  private async exchange(contract: MethodContract, body: Uint8Array, caller: RpcCaller, timeoutMs: number): Promise<RpcReply> {
    const payload = toBinary(RpcRequestSchema, create(RpcRequestSchema, { caller: callerToWire(caller), body }));
    try {
      return fromBinary(RpcReplySchema, await this.bus.request(subjectOf(contract), payload, { timeoutMs }));
    } catch (error) {
      if (error instanceof BusError) throw new RpcError(ErrorCode.UNAVAILABLE, 'A part of the server is away. Try again later.');
      if (error instanceof RangeError) throw new RpcError(ErrorCode.TOO_LARGE, 'The request is larger than the server can carry.');
      throw new RpcError(ErrorCode.INTERNAL, 'A part of the server gave an answer that cannot be read.');
    }
  }
}

function decodeResponse<M extends DescMethodUnary>(method: M, body: Uint8Array): MessageShape<M['output']> {
  try {
    return fromBinary<M['output']>(method.output, body);
  } catch {
    throw new RpcError(ErrorCode.INTERNAL, 'A part of the server gave an answer that cannot be read.');
  }
}
