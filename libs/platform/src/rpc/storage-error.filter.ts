import { type ArgumentsHost, Catch, Logger } from '@nestjs/common';
import { BaseRpcExceptionFilter } from '@nestjs/microservices';
import { ErrorCode } from '@sotto/protocol';
import { databaseErrorKind } from '../database/database-error.js';
import { whyAway } from '../logging/why-away.js';
import { RpcError } from './rpc-error.js';

const SAY_AGAIN_MS = 10_000;
const FULL_RETRY_MS = 10_000;

/** A caller of what cannot be stored now is told to come again, and the log has the cause now and then: every call meets it. */
@Catch()
export class StorageErrorFilter extends BaseRpcExceptionFilter {
  private readonly log = new Logger('Storage');
  private said = { why: '', at: 0 };

  override catch(exception: unknown, host: ArgumentsHost) {
    return super.catch(this.known(exception) ?? exception, host);
  }

  private known(exception: unknown): RpcError | undefined {
    switch (databaseErrorKind(exception)) {
      case 'full':
        this.say('nothing can be stored: the disk of the database is full');
        return new RpcError(ErrorCode.UNAVAILABLE, 'The server cannot store anything at the moment. Try again later.', FULL_RETRY_MS);
      case 'away':
        this.say(`a part that calls need is away: ${whyAway(exception)}`);
        return new RpcError(ErrorCode.UNAVAILABLE, 'A part of the server is away. Try again later.');
      default:
        return undefined;
    }
  }

  private say(why: string): void {
    const now = performance.now();
    if (why === this.said.why && now - this.said.at < SAY_AGAIN_MS) return;
    this.said = { why, at: now };
    this.log.error(why);
  }
}
