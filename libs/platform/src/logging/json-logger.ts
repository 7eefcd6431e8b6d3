import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, type Level, type Logger, pino } from 'pino';
import { describeError } from './describe-error.js';

export interface LoggerOptions {
  name: string;
  level: Level;
  destination?: DestinationStream;
}

/** Keys whose values never reach a log, at the top or one level down. */
const REDACTED = [
  'password',
  'token',
  'accessToken',
  'deliveryKey',
  'credential',
  'secret',
  'name',
  'address',
  'account',
  'device',
  'body',
  'payload',
  'text',
];

/** Nest's logger as JSON lines. Errors are logged by kind and place, without their messages; see describeError. */
export class JsonLogger implements LoggerService {
  private readonly pino: Logger;

  constructor(options: LoggerOptions) {
    const settings = {
      level: options.level,
      base: { service: options.name },
      redact: { paths: REDACTED.flatMap((key) => [`data.${key}`, `data.*.${key}`]), censor: '[redacted]' },
    };
    this.pino = options.destination === undefined ? pino(settings) : pino(settings, options.destination);
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  /** Nest gives the context as the last string. */
  private write(level: Level, message: unknown, rest: unknown[]): void {
    const context = rest.at(-1);
    const fields = typeof context === 'string' ? { context } : {};
    if (message instanceof Error) this.pino[level](fields, describeError(message));
    else if (typeof message === 'object' && message !== null) this.pino[level]({ ...fields, data: message });
    else this.pino[level](fields, String(message));
  }
}
