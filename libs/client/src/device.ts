import { ClientError } from './client-error.js';
import { Connection, type ConnectionOptions } from './connection/connection.js';
import { Link } from './connection/link.js';
import { globalSocketFactory, type SocketFactory } from './connection/socket.js';
import { DeviceCore, type DeviceOptions } from './device-core.js';
import type { Argon2id } from './session/argon2id.js';
import type { SessionRecord } from './session/session-record.js';

export interface ClientOptions extends DeviceOptions {
  /** wss://… or ws://… */
  readonly url: string;
  /** SHA-256 of the server's identity key, lower-case hex, as an invite link or the operator tells it. */
  readonly pin?: string | undefined;
  /** Asked when no pin is known, before anything secret is sent. Without it such a server is refused. */
  readonly onNewPin?: ((pin: string) => boolean | Promise<boolean>) | undefined;
  readonly socket?: SocketFactory | undefined;
  /** As mlsProvider. */
  readonly argon2id?: Argon2id | undefined;
}

/** A device of an account at a server. */
export class Device extends DeviceCore<ClientOptions, SessionRecord> {
  readonly connection: Connection;
  pin: string | undefined;

  constructor(options: ClientOptions, handlers: Pick<ConnectionOptions, 'attach' | 'onFrames' | 'onState'>) {
    super(options);
    const socketOf = options.socket ?? globalSocketFactory();
    const open = () => Link.open(options.url, socketOf, { pin: options.pin ?? this.pin, onNewPin: options.onNewPin });
    this.connection = new Connection({ open, ...handlers });
  }

  requireLink(): Link {
    const { link } = this.connection;
    if (link === undefined) throw new ClientError('offline', 'there is no connection to the server');
    return link;
  }

  /** Counted again at the next attach. */
  topUpFailed(error: unknown): void {
    if (error instanceof ClientError && error.reason === 'storage-failed') throw error;
    this.failed(error);
  }

  protected disconnect(cause?: string): void {
    if (cause === undefined) this.connection.close();
    else this.connection.refuse(cause);
  }
}
