import { OPTIONS } from './command.js';
import { HELP_TOPICS } from './help.js';
import type { OptionSpec, OptionSpecs } from './options.js';
import { type Shell, SHELLS } from './shells.js';

/** What an option's value is, where it can be completed. */
type Value = 'file' | 'folder' | readonly string[];

const VALUES: Readonly<Record<string, Value>> = {
  registration: ['invite', 'open', 'closed'],
  data: 'folder',
  store: 'folder',
  recovery: 'file',
  'password-file': 'file',
  'key-file': 'file',
  'passphrase-file': 'file',
};

/** What stands behind a command, where it is one of a few words. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  servers: ['list', 'add', 'remove'],
  completion: SHELLS,
  help: HELP_TOPICS,
};

interface Completed {
  readonly name: string;
  readonly words: readonly string[];
  readonly options: readonly CompletedOption[];
}

interface CompletedOption {
  readonly long: string;
  readonly short: string | undefined;
  /** Undefined: it takes none. `any`: one that cannot be completed. */
  readonly value: Value | 'any' | undefined;
}

/** Made from the table by which the command line is read. */
const COMMANDS: readonly Completed[] = [
  ...Object.entries(OPTIONS).map(([name, specs]) => ({ name, words: WORDS[name] ?? [], options: optionsOf(specs) })),
  { name: 'help', words: HELP_TOPICS, options: [] },
];
const FIRST = [...COMMANDS.map(({ name }) => name), '--help', '--version'];

const SCRIPTS: Readonly<Record<Shell, () => string>> = { bash, zsh, fish };

export function completionScript(shell: Shell): string {
  return SCRIPTS[shell]();
}

function optionsOf(specs: OptionSpecs): CompletedOption[] {
  const valueOf = (name: string, { type }: OptionSpec) => (type === 'boolean' ? undefined : (VALUES[name] ?? 'any'));
  return Object.entries(specs).map(([name, spec]) => ({ long: name, short: spec.short, value: valueOf(name, spec) }));
}

function namesOf({ long, short }: CompletedOption): string[] {
  return short === undefined ? [`--${long}`] : [`--${long}`, `-${short}`];
}

/** `host:--data|host:-x) ACTION ;;` for each option with a value, under both its names. */
function valueCases(action: (value: Value | 'any') => string): string[] {
  return COMMANDS.flatMap(({ name, options }) =>
    options.flatMap((option) => {
      if (option.value === undefined) return [];
      const pattern = namesOf(option).map((flag) => `${name}:${flag}`);
      return [`    ${pattern.join('|')}) ${action(option.value)}; return ;;`];
    }),
  );
}

function wordCases(action: (words: string) => string): string[] {
  return COMMANDS.map(({ name, words, options }) => `    ${name}) ${action([...words, ...options.flatMap(namesOf)].join(' '))} ;;`);
}

function bash(): string {
  const words = (list: string) => `COMPREPLY=($(compgen -W '${list}' -- "$word"))`;
  const paths = (flag: string) => `compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY=($(compgen ${flag} -- "$word"))`;
  const value = (each: Value | 'any') =>
    each === 'any' ? ':' : each === 'file' ? paths('-f') : each === 'folder' ? paths('-d') : words(each.join(' '));
  return `# bash completion of sotto: source <(sotto completion bash)
_sotto() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}"
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then ${words(FIRST.join(' '))}; return; fi
  case "$command:$before" in
${valueCases(value).join('\n')}
  esac
  case "$command" in
${wordCases(words).join('\n')}
  esac
}
complete -F _sotto sotto`;
}

function zsh(): string {
  const words = (list: string) => `compadd -- ${list}`;
  const value = (each: Value | 'any') =>
    each === 'any' ? ':' : each === 'file' ? '_files' : each === 'folder' ? '_files -/' : words(each.join(' '));
  return `#compdef sotto
# zsh completion of sotto: source <(sotto completion zsh), after compinit
_sotto() {
  if ((CURRENT == 2)); then ${words(FIRST.join(' '))}; return; fi
  case "$words[2]:$words[CURRENT-1]" in
${valueCases(value).join('\n')}
  esac
  case "$words[2]" in
${wordCases(words).join('\n')}
  esac
}
# Loaded from $fpath it is called at once; sourced, it is only made known.
if [[ "$funcstack[1]" == _sotto ]]; then _sotto "$@"; else compdef _sotto sotto; fi`;
}

function fish(): string {
  const lines = COMMANDS.flatMap(({ name, words, options }) => {
    const rule = `complete -c sotto -n '__fish_seen_subcommand_from ${name}'`;
    const ofWords = words.length === 0 ? [] : [`${rule} -a '${words.join(' ')}'`];
    return [...ofWords, ...options.map((option) => `${rule} ${fishOption(option)}`)];
  });
  return `# fish completion of sotto: sotto completion fish > ~/.config/fish/completions/sotto.fish
complete -c sotto -f
complete -c sotto -n __fish_use_subcommand -a '${FIRST.join(' ')}'
${lines.join('\n')}`;
}

function fishOption({ long, short, value }: CompletedOption): string {
  const names = short === undefined ? `-l ${long}` : `-l ${long} -s ${short}`;
  if (value === undefined) return names;
  if (value === 'any') return `${names} -x`;
  if (value === 'file') return `${names} -r -F`;
  return `${names} -x -a '${value === 'folder' ? '(__fish_complete_directories)' : value.join(' ')}'`;
}
