import { COMMAND_NAMES, type Command, type CommandName, COMMANDS, optionsOf } from './command.js';
import { OPEN } from './commands/open.js';
import { EXIT_STATUS } from './exit-status.js';
import type { CommandSpec, OptionSpec } from './options.js';
import { didYouMean } from './suggestion.js';
import { UsageError } from './usage-error.js';

/** Where the text about an option begins. */
const TEXT_COLUMN = 28;

/** What `sotto help` tells more about. */
export const HELP_TOPICS: readonly CommandName[] = COMMAND_NAMES;

const WITH_A_SERVER = ['host', 'join', 'servers', 'mailbox', 'invite', 'export', 'import', 'panic'] as const;
const WITHOUT = ['listen', 'connect'] as const;

/** All commands, or one. Throws UsageError. */
export function helpText(about?: string): string {
  if (about === undefined) return overview();
  const name = HELP_TOPICS.find((each) => each === about);
  if (name === undefined) throw new UsageError(`there is no command "${about}"${didYouMean(about, HELP_TOPICS, 'sotto help ')}`);
  return helpOf(COMMANDS[name]);
}

function overview(): string {
  const lineOf = (name: string, summary: string) => `  ${`sotto ${name}`.padEnd(17)}  ${summary}`.trimEnd();
  const linesOf = (names: readonly CommandName[]) => names.map((name) => lineOf(name, COMMANDS[name].summary)).join('\n');
  const rest = COMMAND_NAMES.filter((name) => ![...WITH_A_SERVER, ...WITHOUT].some((each) => each === name));
  return `sotto: end-to-end encrypted conversations on a server of your own

${lineOf('', OPEN.summary)}
${linesOf(WITH_A_SERVER)}

Or without any server, from one machine to another:
${linesOf(WITHOUT)}

And beside that:
${linesOf(rest)}
${lineOf('--version', 'this version, with those of Node and the protocol')}

sotto takes, when nothing stands behind it:
${optionLines(OPEN)}

It ends with
  ${EXIT_STATUS.replaceAll('\n', '\n  ')}

sotto help COMMAND tells more.`;
}

function helpOf(spec: CommandSpec<Command>): string {
  return `${spec.usage}\n\n${optionLines(spec)}\n\n${spec.about}`;
}

function optionLines(spec: CommandSpec<Command>): string {
  return Object.entries(optionsOf(spec))
    .flatMap(([name, option]) => optionLine(name, option))
    .join('\n');
}

/** `  -p, --port PORT          port to listen on`, and below it what does not fit into the line. */
function optionLine(name: string, { short, value, about }: OptionSpec): string[] {
  const called = `  ${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
  const [first = '', ...more] = about.split('\n');
  return [`${called.padEnd(TEXT_COLUMN)}${first}`, ...more.map((line) => `${' '.repeat(TEXT_COLUMN)}${line}`)];
}
