const NO_PROMISE =
  'What cannot be promised: a flash disk may keep overwritten blocks for a while, and backups, snapshots and exports are what they were. ' +
  'Others keep what you wrote to them.';

export interface Destruction {
  /** Undefined: nobody asked for it. */
  readonly revoked?: boolean;
  /** What is in the folder that is not the store's. */
  readonly left: readonly string[];
  readonly folder: string;
  /** Another process has the store open. */
  readonly inUse: boolean;
}

export function destroyedText({ revoked, left, folder, inUse }: Destruction): string {
  const server =
    revoked === undefined
      ? ''
      : revoked
        ? ' The server takes this device no more.'
        : ' The server did not answer: revoke this device from another of yours.';
  const other = inUse ? ' Another sotto runs with this store: it has the keys in its memory until you end it.' : '';
  const rest = left.length === 0 ? '' : ` Left in ${folder}, which is not Sotto's: ${left.join(', ')}.`;
  return `Destroyed: keys and messages of this device.${server}${other}${rest} ${NO_PROMISE}`;
}
