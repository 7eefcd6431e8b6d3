import { UsageError } from '../command-line/usage-error.js';

/** What a JSON line carries and a typed line does not. */
export interface Secrets {
  readonly password?: string | undefined;
  readonly newPassword?: string | undefined;
  readonly passphrase?: string | undefined;
  /** Yes, the account key or the account itself is to go. */
  readonly confirm?: boolean | undefined;
}

/** The fields of a command as one JSON object. Every method throws UsageError. */
export class JsonFields {
  constructor(readonly value: Readonly<Record<string, unknown>>) {}

  get word(): unknown {
    return this.value['do'];
  }

  text(field: string): string {
    const found = this.value[field];
    if (typeof found !== 'string' || found === '') throw new UsageError(`"${String(this.word)}" needs "${field}", a text`);
    return found;
  }

  optional(field: string): string | undefined {
    return this.value[field] === undefined ? undefined : this.text(field);
  }

  /** Empty when absent. */
  texts(field: string): string[] {
    const found = this.value[field] ?? [];
    const isText = (each: unknown): each is string => typeof each === 'string' && each !== '';
    if (!Array.isArray(found) || !found.every(isText)) throw new UsageError(`"${field}" is a list of texts`);
    return found;
  }

  /** @param without what it is when absent; undefined: it may not be. */
  flag(field: string, without?: boolean): boolean {
    const found = this.value[field] ?? without;
    if (typeof found !== 'boolean') throw new UsageError(`"${field}" of "${String(this.word)}" is true or false`);
    return found;
  }

  /** Undefined for null, which has to be said: what is left out may be a slip. */
  numberOrNull(field: string): number | undefined {
    const found = this.value[field];
    if (found === null) return undefined;
    if (typeof found !== 'number') throw new UsageError(`"${field}" of "${String(this.word)}" is a number, or null for never`);
    return found;
  }

  secrets(): Secrets {
    return {
      password: this.optional('password'),
      newPassword: this.optional('new'),
      passphrase: this.optional('passphrase'),
      confirm: this.flag('confirm', false) ? true : undefined,
    };
  }
}
