import { EXPORT, IMPORT } from './commands/archive.js';
import { COMPLETION } from './commands/completion.js';
import { DOCTOR } from './commands/doctor.js';
import { HOST } from './commands/host.js';
import { INVITE } from './commands/invite.js';
import { JOIN, MAILBOX } from './commands/join.js';
import { OPEN } from './commands/open.js';
import { PANIC } from './commands/panic.js';
import { CONNECT, LISTEN } from './commands/peer.js';
import { SERVERS } from './commands/servers.js';
import { type CommandSpec, flag, type OptionSpecs, parseOptions } from './options.js';
import { didYouMean } from './suggestion.js';
import { UsageError } from './usage-error.js';

/** What can stand behind `sotto`: read, completed and explained from here. */
export const COMMANDS = {
  host: HOST,
  join: JOIN,
  servers: SERVERS,
  mailbox: MAILBOX,
  invite: INVITE,
  export: EXPORT,
  import: IMPORT,
  panic: PANIC,
  listen: LISTEN,
  connect: CONNECT,
  doctor: DOCTOR,
  completion: COMPLETION,
} as const;

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

export type Command =
  | ReturnType<(typeof COMMANDS)[CommandName]['parse']>
  | ReturnType<typeof OPEN.parse>
  | { readonly command: 'help'; readonly about?: string }
  | { readonly command: 'version' };

const HELP: OptionSpecs = { help: flag('this', 'h') };

/** Each command also explains itself. */
export function optionsOf({ options }: CommandSpec<Command>): OptionSpecs {
  return { ...options, ...HELP };
}

/** Throws UsageError. */
export function parseCommand(argv: readonly string[]): Command {
  const [word, ...rest] = argv;
  if (word === 'help') return rest[0] === undefined ? { command: 'help' } : { command: 'help', about: rest[0] };
  if (word === '--version' || word === '-v') return { command: 'version' };
  if (word === undefined || word.startsWith('-')) return parsed('sotto', OPEN, argv) ?? { command: 'help' };
  const name = COMMAND_NAMES.find((each) => each === word);
  if (name === undefined) throw new UsageError(`there is no command "${word}"${didYouMean(word, COMMAND_NAMES, 'sotto ')}`);
  return parsed(`sotto ${name}`, COMMANDS[name], rest) ?? { command: 'help', about: name };
}

/** Undefined: help is wanted, whatever else was said. */
function parsed(called: string, spec: CommandSpec<Command>, args: readonly string[]): Command | undefined {
  const options = parseOptions(called, args, optionsOf(spec));
  return options.flag('help') ? undefined : spec.parse(options);
}
