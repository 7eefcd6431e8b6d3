import { type CommandSpec, noMore } from '../options.js';
import { type Shell, SHELLS } from '../shells.js';
import { UsageError } from '../usage-error.js';

export interface CompletionCommand {
  readonly command: 'completion';
  readonly shell: Shell;
}

export const COMPLETION: CommandSpec<CompletionCommand> = {
  summary: 'what completes these commands in bash, zsh or fish',
  usage: 'sotto completion bash|zsh|fish     print what completes the commands of sotto in a shell',
  options: {},
  completes: SHELLS,
  about: `  bash    source <(sotto completion bash)                    in ~/.bashrc
  zsh     source <(sotto completion zsh)                     in ~/.zshrc, after compinit
  fish    sotto completion fish > ~/.config/fish/completions/sotto.fish`,
  parse: (options) => {
    noMore(options, 1);
    const [word = ''] = options.positionals;
    const shell = SHELLS.find((each) => each === word);
    if (shell === undefined) throw new UsageError(`say for which shell: sotto completion ${SHELLS.join('|')}`);
    return { command: 'completion', shell };
  },
};
