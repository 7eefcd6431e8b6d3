import type { ErrorCode } from '@sotto/protocol';

/** What a client is told of a failed call: a code of the closed table, a sentence for people, and when to try again. */
export class RpcError extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly text: string,
    readonly retryAfterMs = 0,
  ) {
    super(text);
    this.name = 'RpcError';
  }
}
