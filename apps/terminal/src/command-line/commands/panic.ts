import { type CommandSpec, flag } from '../options.js';
import { JSON_OPTION, type StoredAccount, STORED_OPTIONS, storedAccount } from './stored-account.js';

export interface PanicCommand extends StoredAccount {
  readonly command: 'panic';
  readonly everywhere: boolean;
  /** Ask nothing. */
  readonly yes: boolean;
}

export const PANIC: CommandSpec<PanicCommand> = {
  summary: 'destroy what this machine has of an account',
  usage: 'sotto panic -i NAME [options]                    destroy what this machine has of an account',
  options: {
    ...STORED_OPTIONS,
    everywhere: flag(
      "end this device's session at the server first, if that answers within\nseconds; this alone needs the password or key file",
    ),
    yes: flag('ask nothing; else NAME has to be typed'),
    ...JSON_OPTION,
  },
  about: `First the key that all else is sealed under is overwritten: from then on nothing opens the rest, though the machine loses
power. Then the files go. It cannot reach what a flash disk keeps of overwritten blocks, backups, snapshots, exports, or what
others have. In a conversation: /panic, or /panic everywhere.`,
  parse: (options) => ({ command: 'panic', everywhere: options.flag('everywhere'), yes: options.flag('yes'), ...storedAccount(options) }),
};
