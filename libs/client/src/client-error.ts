import { ErrorCode, type WireError } from '@sotto/protocol';

/** Why the SDK itself refused or gave up. Closed: programs switch over it. */
export type ClientErrorReason =
  | 'offline'
  | 'timeout'
  | 'closed'
  | 'not-logged-in'
  | 'pin-changed'
  | 'pin-refused'
  | 'handshake-failed'
  | 'unknown-contact'
  | 'not-accepted'
  | 'unknown-group'
  | 'unknown-message'
  | 'not-allowed'
  | 'wrong-passphrase'
  | 'weak-passphrase'
  /** A store opens by the other kind of secret: passphrase, key file. */
  | 'wrong-secret-kind'
  | 'bad-recovery-file'
  | 'bad-key-file'
  /** An archive that is none, was cut short or altered, or is of another version or account. */
  | 'bad-archive'
  /** The store that was to take in an archive has something in it. */
  | 'store-not-empty'
  /** The code that the other device shows is another. */
  | 'wrong-code'
  /** An approval is over, or was not begun. */
  | 'no-approval'
  /** Somebody between two devices altered what they say to each other. */
  | 'approval-broken'
  | 'storage-failed'
  /** A store file that is cut short, damaged, or of another version. */
  | 'bad-store'
  /** Another process has the store. */
  | 'store-in-use'
  | 'too-long'
  /** What answers at the address is something else. */
  | 'not-a-peer'
  /** The other end did not prove that it has its key: somebody may stand between. */
  | 'peer-unproven'
  /** The other end knows this name with another key, or takes no strangers. */
  | 'not-admitted'
  | 'port-in-use';

export class ClientError extends Error {
  override readonly name = 'ClientError';

  constructor(
    readonly reason: ClientErrorReason,
    text: string,
    options?: ErrorOptions,
  ) {
    super(text, options);
  }
}

/** A server is there, and takes nobody in at the moment. */
export class ServerBusyError extends ClientError {
  constructor() {
    super('offline', 'the server is full or busy, try again later');
  }
}

/** What the server answered instead of a response; remedyOf(code) says what to do. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code: ErrorCode;
  /** Milliseconds; 0 when the error says nothing of time. */
  readonly retryAfterMs: number;

  constructor(error: WireError) {
    super(error.text || `the server answered ${ErrorCode[error.code] ?? error.code}`);
    this.code = error.code;
    this.retryAfterMs = error.retryAfterMs;
  }
}
