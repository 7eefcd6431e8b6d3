import { create } from '@bufbuild/protobuf';
import { RpcException } from '@nestjs/microservices';
import { ErrorCode, ErrorSchema, type WireError } from '@sotto/protocol';

/**
 * An error that the caller gets to see, by the closed table of codes. The text is for people: no names, addresses or content.
 * It is Nest's RpcException, so that Nest's exception filters pass it on as it is.
 */
export class RpcError extends RpcException {
  constructor(
    readonly code: ErrorCode,
    readonly text: string,
    readonly retryAfterMs = 0,
  ) {
    super(text);
    this.name = 'RpcError';
  }

  override getError(): this {
    return this;
  }

  toWire(): WireError {
    return create(ErrorSchema, { code: this.code, text: this.text, retryAfterMs: this.retryAfterMs });
  }

  static fromWire(error: WireError): RpcError {
    return new RpcError(error.code, error.text, error.retryAfterMs);
  }
}

/** What is beyond LIMITS.callFields. */
export function tooManyFields(): RpcError {
  return new RpcError(ErrorCode.TOO_LARGE, 'The body of a call has at most 4,200 fields.');
}
