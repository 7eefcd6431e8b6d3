import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Injectable, Logger } from '@nestjs/common';
import { CallLimiter } from '@sotto/platform/live-state';
import { type RpcCaller, RpcClient, RpcError, tooManyFields } from '@sotto/platform/rpc';
import {
  type AttachRequest,
  AttachRequestSchema,
  AttachResponseSchema,
  type Call,
  CallerClass,
  CallSchema,
  ErrorCode,
  LIMITS,
  type MethodContract,
  methodName,
  METHODS,
  ReplySchema,
  Sessions,
} from '@sotto/protocol';
import { FrameKind, hasMoreFieldsThan, textIn, WireError, wrapFrame } from '@sotto/protocol/frames';
import type { Connection } from '../connections/connection.js';
import { ConnectionTable } from '../connections/connection-table.js';
import { SessionService } from '../sessions/session.service.js';

/** More than what the frame, the padding's length and the tag add to a reply's body. */
const REPLY_OVERHEAD = 64;
/** To gather the others takes five times as long as to skip them. */
const KNOWN_FIELDS = { readUnknownFields: false };
/** More than a Call has, or will have: a field that stands there twice is read twice. */
const CALL_FIELDS = 16;
const ACCESS_TOKEN = AttachRequestSchema.field.accessToken.number;
const ATTACH = methodName(Sessions.method.attach);

/** Checks a call by what its method declares, charges it, and hands it to whoever serves it: a new method needs no change here. */
@Injectable()
export class CallRouter {
  private readonly log = new Logger(CallRouter.name);

  constructor(
    private readonly rpc: RpcClient,
    private readonly limiter: CallLimiter,
    private readonly table: ConnectionTable,
    private readonly sessions: SessionService,
  ) {}

  /** A serialised Call. Replies by itself, also with errors; throws WireError when the bytes are no Call, or there are too many: to refuse one costs, too. */
  handle(connection: Connection, bytes: Uint8Array): void {
    connection.countFree();
    const call = parseCall(bytes);
    if (connection.openCalls >= LIMITS.openCallsPerConnection) {
      const text = `At most ${LIMITS.openCallsPerConnection} calls at once.`;
      return this.fail(connection, call.id, new RpcError(ErrorCode.RATE_LIMITED, text, 100));
    }
    connection.openCalls++;
    this.answer(connection, call)
      .then(
        (body) => (call.method === ATTACH ? this.replyToAttach(connection, call.id, body) : this.reply(connection, call.id, body)),
        (error: unknown) => this.fail(connection, call.id, error),
      )
      .catch(() => this.log.error('a reply could not be written'))
      .finally(() => connection.openCalls--);
  }

  private async answer(connection: Connection, call: Call): Promise<Uint8Array> {
    const contract = METHODS.get(call.method);
    if (contract === undefined || contract.caller === CallerClass.SERVICE) {
      throw new RpcError(ErrorCode.UNKNOWN_METHOD, 'This server has no such method.');
    }
    if (call.body.length > LIMITS.callBytes) throw new RpcError(ErrorCode.TOO_LARGE, 'The body of a call has at most 256 KiB.');
    const caller = callerOf(connection);
    checkCaller(contract, caller);
    await this.limiter.charge(contract.rate, { account: caller.account, address: caller.address });
    if (contract.name === ATTACH) {
      const response = await this.sessions.attach(connection, accessTokenIn(call.body), () => parseAttachRequest(call.body));
      return toBinary(AttachResponseSchema, create(AttachResponseSchema, response));
    }
    const reply = await this.rpc.forward(contract, call.body, caller);
    if (reply.error !== undefined) throw new RpcError(reply.error.code, reply.error.text, reply.error.retryAfterMs);
    return reply.body;
  }

  /** In a box of its own: behind one slow line, a box full of deliveries would take longer than a client waits for an answer. */
  private replyToAttach(connection: Connection, id: number, body: Uint8Array): void {
    this.reply(connection, id, body);
    this.table.flush();
    this.sessions.toldOfAttach(connection);
  }

  private reply(connection: Connection, id: number, body: Uint8Array): void {
    if (body.length > LIMITS.boxBytes - REPLY_OVERHEAD) {
      return this.fail(connection, id, new RpcError(ErrorCode.TOO_LARGE, 'The answer is larger than a box can carry.'));
    }
    this.table.write(connection, wrapFrame(FrameKind.REPLY, toBinary(ReplySchema, create(ReplySchema, { id, body }))));
  }

  private fail(connection: Connection, id: number, error: unknown): void {
    const known = error instanceof RpcError ? error : new RpcError(ErrorCode.INTERNAL, 'The server failed. Try again later.');
    if (known !== error) this.log.error(`a call failed: ${error instanceof Error ? error.name : 'unknown'}`);
    const wire = { code: known.code, text: known.message, retryAfterMs: known.retryAfterMs };
    this.table.write(connection, wrapFrame(FrameKind.REPLY, toBinary(ReplySchema, create(ReplySchema, { id, error: wire }))));
  }
}

function parseCall(bytes: Uint8Array): Call {
  try {
    if (!hasMoreFieldsThan(CALL_FIELDS, CallSchema, bytes)) return fromBinary(CallSchema, bytes, KNOWN_FIELDS);
  } catch {
    // As one with too many fields.
  }
  throw new WireError('no Call');
}

/** Alone: who may not attach is refused before all the rest is read, which takes as long as a thousand Pings. */
function accessTokenIn(bytes: Uint8Array): string {
  return orMalformed(() => textIn(bytes, ACCESS_TOKEN) ?? '');
}

function parseAttachRequest(bytes: Uint8Array): AttachRequest {
  const isTooLong = orMalformed(() => hasMoreFieldsThan(LIMITS.callFields, AttachRequestSchema, bytes));
  if (isTooLong) throw tooManyFields();
  return orMalformed(() => fromBinary(AttachRequestSchema, bytes, KNOWN_FIELDS));
}

function orMalformed<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw new RpcError(ErrorCode.MALFORMED, 'The request cannot be read.');
  }
}

function callerOf(connection: Connection): RpcCaller {
  const { session } = connection;
  return {
    account: session?.account ?? '',
    device: session?.device ?? '',
    pending: session?.pending ?? false,
    channelBinding: connection.channel!.binding,
    address: connection.address,
    service: '',
  };
}

function checkCaller(contract: MethodContract, caller: RpcCaller): void {
  if (contract.caller === CallerClass.ANONYMOUS) return;
  if (caller.account === '') throw new RpcError(ErrorCode.UNAUTHENTICATED, 'Log in first.');
  if (caller.pending && contract.caller !== CallerClass.PENDING_DEVICE) {
    throw new RpcError(ErrorCode.DEVICE_PENDING, 'Confirm this device first: by the recovery file, by another device, or by a reset.');
  }
}
