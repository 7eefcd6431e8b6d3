import { resolve } from 'node:path';
import { isJoinLink } from '../../link/join-link.js';
import type { RememberedServer } from '../../servers/remembered-servers.js';
import { givenPin } from '../address.js';
import { type CommandSpec, flag, noMore, type ParsedOptions, valued } from '../options.js';
import { didYouMean } from '../suggestion.js';
import { UsageError } from '../usage-error.js';
import { targetCommand } from './join.js';

export type ServersCommand = { readonly command: 'servers'; readonly json: boolean } & (
  | { readonly action: 'list' }
  | { readonly action: 'add'; readonly server: RememberedServer }
  | { readonly action: 'remove'; readonly address: string; readonly name: string | undefined }
);

const ACTIONS = ['list', 'add', 'remove'] as const;

export const SERVERS: CommandSpec<ServersCommand> = {
  summary: 'which accounts are remembered',
  usage: `sotto servers list                                which accounts sotto opens by itself
sotto servers add LINK|HOST:PORT [-i NAME]        remember one
sotto servers remove HOST:PORT [-i NAME]          forget it; what is stored stays`,
  options: {
    name: valued('NAME', 'your name there', { short: 'i' }),
    pin: valued('PIN', "the server's identity, when no link says it", { short: 'k' }),
    store: valued('FOLDER', 'where the device is, when not in the usual place', { completes: 'folder' }),
    tls: flag('the server is behind TLS'),
    json: flag('one JSON object a line'),
  },
  completes: ACTIONS,
  about: `An account is remembered when sotto join or sotto import has opened it on a terminal. sotto alone opens all of them in one session: any
number of servers, one list. It asks for passwords on the screen, one for all that it opens, or takes --password-file F
or --password-fd N. The list has no secrets (~/.config/sotto/servers.json).`,
  parse: (options) => {
    const [action = 'list', target] = options.positionals;
    const json = options.flag('json');
    noMore(options, action === 'list' ? 1 : 2);
    switch (action) {
      case 'list':
        return { command: 'servers', action, json };
      case 'add':
        if (target === undefined) throw new UsageError('say which: sotto servers add LINK|HOST:PORT -i NAME');
        return { command: 'servers', action, server: rememberedServer(target, options), json };
      case 'remove':
        if (target === undefined) throw new UsageError('say which: sotto servers remove HOST:PORT [-i NAME]');
        return { command: 'servers', action, address: target, name: options.text('name'), json };
      default:
        throw new UsageError(`there is no sotto servers ${action}${didYouMean(action, ACTIONS, 'sotto servers ')}`);
    }
  },
};

function rememberedServer(target: string, options: ParsedOptions): RememberedServer {
  const own = options.text('name');
  if (own === undefined && !isJoinLink(target)) throw new UsageError('say who you are there: -i NAME');
  const { host, port, pin, name, register } = targetCommand(target, own);
  if (register !== undefined) throw new UsageError('this link registers: sotto join LINK -i NAME does that, and remembers it');
  const store = options.text('store');
  return {
    host,
    port,
    name,
    pin: givenPin(options, pin),
    ...(options.flag('tls') && { tls: true }),
    ...(store !== undefined && { store: resolve(store) }),
  };
}
