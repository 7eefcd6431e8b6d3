import { type CommandSpec, noMore } from '../options.js';
import { secretOptions, type SecretSource, secretSource } from '../secrets.js';

/** `sotto` alone: all remembered accounts. */
export interface OpenCommand {
  readonly command: 'open';
  readonly password: SecretSource;
}

export const OPEN: CommandSpec<OpenCommand> = {
  summary: 'open all remembered accounts, on the whole screen',
  usage: 'sotto [options]     open all remembered accounts, on the whole screen',
  options: secretOptions('password', 'a password that opens one or more of them'),
  about: 'sotto help servers tells which accounts are remembered.',
  parse: (options) => {
    noMore(options, 0);
    return { command: 'open', password: secretSource(options, 'password') };
  },
};
