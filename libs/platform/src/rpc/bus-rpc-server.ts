import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { CallerClass, ErrorCode, LIMITS, type MethodContract, METHODS } from '@sotto/protocol';
import { hasMoreFieldsThan } from '@sotto/protocol/frames';
import { type RpcReply, RpcReplySchema, RpcRequestSchema } from '@sotto/protocol/internal';
import { lastValueFrom } from 'rxjs';
import type { Bus, Subscription } from '../bus/index.js';
import { describeError } from '../logging/describe-error.js';
import type { RpcCaller } from './caller.js';
import { RpcError, tooManyFields } from './rpc-error.js';
import { BUS_TRANSPORT } from './rpc.decorator.js';
import { subjectOf } from './subjects.js';
import { callerFromWire } from './wire-caller.js';

export interface BusRpcServerOptions {
  /** Told about each answered call: "sotto.v1.Contacts/List", the code's name or "OK", and its duration. */
  observe?: (method: string, code: string, seconds: number) => void;
}

/**
 * Nest transport over the Bus: each handler runs with its guards, interceptors and pipes. Serves whole services only: it does not start
 * when a method of a service of which it handles one has no handler, or a handler has no method.
 */
export class BusRpcServer extends Server implements CustomTransportStrategy {
  override readonly transportId = BUS_TRANSPORT;
  private readonly subscriptions: Subscription[] = [];
  private readonly running = new Set<Promise<Uint8Array>>();

  constructor(
    private readonly bus: Bus,
    private readonly options: BusRpcServerOptions = {},
  ) {
    super();
  }

  override addHandler(pattern: string, callback: MessageHandler, isEventHandler = false, extras: Record<string, unknown> = {}): void {
    if (this.messageHandlers.has(pattern)) throw new Error(`${pattern} has two handlers`);
    super.addHandler(pattern, callback, isEventHandler, extras);
  }

  listen(callback: (error?: unknown) => void): void {
    try {
      for (const [contract, handler] of this.served()) this.serve(contract, handler);
    } catch (error) {
      callback(error);
      return;
    }
    callback();
  }

  /** Takes no new calls and lets the running ones end. */
  async close(): Promise<void> {
    // The broker may have handed a call to this process that has not been read yet, and gives it to nobody else.
    await Promise.all(this.subscriptions.splice(0).map((subscription) => subscription.drain()));
    await Promise.allSettled(this.running);
  }

  on(): void {
    throw new Error('the bus reports its status by Bus.onStatus');
  }

  unwrap<T>(): T {
    return this.bus as T;
  }

  private served(): [MethodContract, MessageHandler][] {
    const served: [MethodContract, MessageHandler][] = [];
    for (const [name, handler] of this.messageHandlers) {
      const contract = METHODS.get(name);
      if (contract === undefined) throw new Error(`the handler of ${name} has no declared method`);
      served.push([contract, handler]);
    }
    const services = new Set(served.map(([contract]) => contract.method.parent.typeName));
    const missing = [...METHODS.values()].filter(
      ({ name, method }) => services.has(method.parent.typeName) && !this.messageHandlers.has(name),
    );
    if (missing.length > 0) throw new Error(`no handler for ${missing.map(({ name }) => name).join(', ')}`);
    return served;
  }

  private serve(contract: MethodContract, handler: MessageHandler): void {
    const answer = (payload: Uint8Array): Promise<Uint8Array> => {
      const work = this.answer(contract, handler, payload);
      this.running.add(work);
      const ended = (): unknown => this.running.delete(work);
      void work.then(ended, ended);
      return work;
    };
    this.subscriptions.push(this.bus.respond(subjectOf(contract), contract.method.parent.typeName, answer));
  }

  private async answer(contract: MethodContract, handler: MessageHandler, payload: Uint8Array): Promise<Uint8Array> {
    const started = performance.now();
    const reply = await this.replyTo(contract, handler, payload);
    const code = reply.error === undefined ? 'OK' : ErrorCode[reply.error.code];
    this.options.observe?.(contract.name, code, (performance.now() - started) / 1_000);
    return encodeReply(reply);
  }

  private async replyTo(contract: MethodContract, handler: MessageHandler, payload: Uint8Array): Promise<RpcReply> {
    try {
      const { request, caller } = decodeRequest(contract, payload);
      assertMayCall(contract, caller);
      const response: unknown = await lastValueFrom(this.transformToObservable(await handler(request, caller)), {
        defaultValue: undefined,
      });
      return create(RpcReplySchema, {
        body: toBinary(contract.method.output, create(contract.method.output, response as Record<string, unknown> | undefined)),
      });
    } catch (error) {
      return create(RpcReplySchema, { error: this.wireError(contract, error).toWire() });
    }
  }

  /** Nest's filter has logged exceptions that are not ours and left `{status: 'error', message}` of them. */
  private wireError(contract: MethodContract, error: unknown): RpcError {
    if (error instanceof RpcError) return error;
    if (isRefusedByGuard(error)) return new RpcError(ErrorCode.FORBIDDEN, 'You may not do this.');
    if (error instanceof Error) this.logger.error(`${contract.name} failed: ${describeError(error)}`);
    return new RpcError(ErrorCode.INTERNAL, 'Something went wrong on the server. Try again later.');
  }
}

function decodeRequest({ method }: MethodContract, payload: Uint8Array) {
  try {
    const { caller: wireCaller, body } = fromBinary(RpcRequestSchema, payload);
    const caller = callerFromWire(wireCaller);
    if (caller.service === '' && hasMoreFieldsThan(LIMITS.callFields, method.input, body)) throw tooManyFields();
    return { request: fromBinary(method.input, body, { readUnknownFields: false }), caller };
  } catch (error) {
    if (error instanceof RpcError) throw error;
    throw new RpcError(ErrorCode.MALFORMED, 'The request cannot be read.');
  }
}

/** The gateway checks this too; a caller that slips through there still ends here. */
function assertMayCall(contract: MethodContract, caller: RpcCaller): void {
  if (caller.service !== '' || contract.caller === CallerClass.ANONYMOUS) return;
  if (contract.caller === CallerClass.SERVICE) throw new RpcError(ErrorCode.FORBIDDEN, 'Only services may call this.');
  if (caller.account === '') throw new RpcError(ErrorCode.UNAUTHENTICATED, 'Log in first.');
  if (caller.pending && contract.caller !== CallerClass.PENDING_DEVICE) {
    throw new RpcError(ErrorCode.DEVICE_PENDING, 'Confirm this device first.');
  }
}

/** What Nest throws for a guard that answers false. */
function isRefusedByGuard(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'message' in error && error.message === 'Forbidden resource';
}

function encodeReply(reply: RpcReply): Uint8Array {
  const bytes = toBinary(RpcReplySchema, reply);
  if (bytes.length <= LIMITS.busMessageBytes) return bytes;
  const error = new RpcError(ErrorCode.TOO_LARGE, 'The answer is larger than the server can carry.').toWire();
  return toBinary(RpcReplySchema, create(RpcReplySchema, { error }));
}
