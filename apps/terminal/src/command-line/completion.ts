import { COMMANDS, optionsOf } from './command.js';
import { OPEN } from './commands/open.js';
import { HELP_TOPICS } from './help.js';
import type { Completes, OptionSpecs } from './options.js';
import type { Shell } from './shells.js';

interface Completed {
  readonly name: string;
  /** What stands behind it. */
  readonly words: Completes | undefined;
  readonly options: readonly CompletedOption[];
}

interface CompletedOption {
  readonly long: string;
  readonly short: string | undefined;
  /** Undefined: it takes none. `any`: one that cannot be completed. */
  readonly value: Completes | 'any' | undefined;
}

/** Made from the table by which the command line is read. */
const COMPLETED: readonly Completed[] = [
  ...Object.entries(COMMANDS).map(([name, spec]) => ({ name, words: spec.completes, options: completedOptions(optionsOf(spec)) })),
  { name: 'help', words: HELP_TOPICS, options: [] },
];
const OPEN_OPTIONS = Object.keys(optionsOf(OPEN)).map((name) => `--${name}`);
const FIRST = [...COMPLETED.map(({ name }) => name), ...OPEN_OPTIONS, '--version'];

const SCRIPTS: Readonly<Record<Shell, () => string>> = { bash, zsh, fish };

export function completionScript(shell: Shell): string {
  return SCRIPTS[shell]();
}

function completedOptions(specs: OptionSpecs): CompletedOption[] {
  return Object.entries(specs).map(([long, { type, short, completes }]): CompletedOption => {
    return { long, short, value: type === 'boolean' ? undefined : (completes ?? 'any') };
  });
}

function namesOf({ long, short }: CompletedOption): string[] {
  return short === undefined ? [`--${long}`] : [`--${long}`, `-${short}`];
}

/** `host:--data|host:-x) ACTION ;;` for each option with a value, under both its names. */
function valueCases(action: (value: Completes | 'any') => string): string[] {
  return COMPLETED.flatMap(({ name, options }) =>
    options.flatMap((option) => {
      if (option.value === undefined) return [];
      const pattern = namesOf(option).map((flag) => `${name}:${flag}`);
      return [`    ${pattern.join('|')}) ${action(option.value)}; return ;;`];
    }),
  );
}

/** Options where a word begins with a dash; else what stands behind the command, or, where nothing can, options again. */
function wordCases(words: (list: string) => string, action: (value: Completes) => string): string[] {
  return COMPLETED.flatMap(({ name, words: behind, options }) => {
    const flags = words(options.flatMap(namesOf).join(' '));
    if (behind === undefined) return [`    ${name}) ${flags} ;;`];
    return [`    ${name}) case "$word" in -*) ${flags} ;; *) ${action(behind)} ;; esac ;;`];
  });
}

function bash(): string {
  const words = (list: string) => `COMPREPLY=($(compgen -W '${list}' -- "$word"))`;
  const paths = (flag: string) => `compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY=($(compgen ${flag} -- "$word"))`;
  const value = (each: Completes | 'any') =>
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
${wordCases(words, value).join('\n')}
  esac
}
complete -F _sotto sotto`;
}

function zsh(): string {
  const words = (list: string) => `compadd -- ${list}`;
  const value = (each: Completes | 'any') =>
    each === 'any' ? ':' : each === 'file' ? '_files' : each === 'folder' ? '_files -/' : words(each.join(' '));
  return `#compdef sotto
# zsh completion of sotto: source <(sotto completion zsh), after compinit
_sotto() {
  local word="$words[CURRENT]"
  if ((CURRENT == 2)); then ${words(FIRST.join(' '))}; return; fi
  case "$words[2]:$words[CURRENT-1]" in
${valueCases(value).join('\n')}
  esac
  case "$words[2]" in
${wordCases(words, value).join('\n')}
  esac
}
# Loaded from $fpath it is called at once; sourced, it is only made known.
if [[ "$funcstack[1]" == _sotto ]]; then _sotto "$@"; else compdef _sotto sotto; fi`;
}

function fish(): string {
  const lines = COMPLETED.flatMap(({ name, words, options }) => {
    const rule = `complete -c sotto -n '__fish_seen_subcommand_from ${name}'`;
    const ofWords = words === undefined ? [] : [`${rule} ${words === 'file' ? '-F' : `-a '${fishValues(words)}'`}`];
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
  return value === 'file' ? `${names} -r -F` : `${names} -x -a '${fishValues(value)}'`;
}

function fishValues(value: 'folder' | readonly string[]): string {
  return value === 'folder' ? '(__fish_complete_directories)' : value.join(' ');
}
