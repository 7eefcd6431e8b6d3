import { checkNewName } from '../address.js';
import { type CommandSpec, flag, noMore, valued } from '../options.js';

export interface InviteCommand {
  readonly command: 'invite';
  readonly name: string | undefined;
  readonly data: string | undefined;
  readonly json: boolean;
}

export const INVITE: CommandSpec<InviteCommand> = {
  summary: 'make an invite for the server that runs here',
  usage: 'sotto invite [NAME] [options]     make an invite for the server that runs on this machine',
  options: {
    data: valued('FOLDER', 'the one that sotto host was given (~/.local/share/sotto/server)', { completes: 'folder' }),
    json: flag('one JSON object'),
  },
  about: `With NAME the invite carries that name. The link names the address that sotto host was given by --public, or else the
one on which it listens.`,
  parse: (options) => {
    noMore(options, 1);
    const [name] = options.positionals;
    if (name !== undefined) checkNewName(name);
    return { command: 'invite', name, data: options.text('data'), json: options.flag('json') };
  },
};
