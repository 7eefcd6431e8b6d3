/** A new key on P-256, as PEM. */
export function makeBrokerKey(): string;

/** The certificate for the key in this file, as PEM; names are host names. Throws when there is no openssl. */
export function certifyBroker(keyFile: string, names: readonly string[]): string;
