import { resolve } from 'node:path';
import type { InspectedServer } from '../../doctor/server-check.js';
import { checkName, givenPin, parseTarget } from '../address.js';
import { type CommandSpec, flag, noMore, type ParsedOptions, valued } from '../options.js';
import { secretOptions, type SecretSource, secretSource } from '../secrets.js';
import { UsageError } from '../usage-error.js';

/** Looks at one account or server, or at all that are remembered. */
export interface DoctorCommand {
  readonly command: 'doctor';
  readonly server: InspectedServer | undefined;
  /** Undefined: what needs the password is not looked at. It is never asked for. */
  readonly password: SecretSource | undefined;
  readonly json: boolean;
}

export const DOCTOR: CommandSpec<DoctorCommand> = {
  summary: 'what is reachable, and whether what is stored here is whole',
  usage: `sotto doctor                                      look at this machine and all remembered accounts
sotto doctor LINK|HOST:PORT [options]             or at one server`,
  options: {
    name: valued('NAME', 'your name there: what is stored here of it is looked at, too', { short: 'i' }),
    pin: valued('PIN', "the server's identity, when no link says it", { short: 'k' }),
    ...secretOptions('password', "with it the account's session is tried: the password"),
    store: valued('FOLDER', 'where the device is, when not in the usual place', { completes: 'folder' }),
    tls: flag('the server is behind TLS'),
    json: flag('one JSON object a line'),
  },
  about: `Of a server: whether its name resolves, it answers, it is a Sotto server, and shows the identity that is known here; and whether its
certificate and the clock of this machine agree. Of what is stored: who may read it, whether it is whole, who uses it, its size and
the space that is left. It changes nothing and asks for nothing; with the password, the device connects for a moment as it always does.
A line begins with ✓, with ! when something deserves a look, with ✗ when something is broken (then it ends with 1), with – when it
was not looked at.`,
  parse: (options) => {
    noMore(options, 1);
    const [target] = options.positionals;
    const source = secretSource(options, 'password');
    const [loose] = ['name', 'pin', 'store', 'tls'].filter((name) => options.flag(name));
    if (target === undefined && loose !== undefined) throw new UsageError(`--${loose} is of one server: sotto doctor LINK|HOST:PORT`);
    return {
      command: 'doctor',
      server: target === undefined ? undefined : inspectedServer(target, options),
      password: source.from === 'prompt' ? undefined : source,
      json: options.flag('json'),
    };
  },
};

function inspectedServer(target: string, options: ParsedOptions): InspectedServer {
  const { host, port, pin, name: linked } = parseTarget(target);
  const store = options.text('store');
  const name = options.text('name') ?? linked;
  if (name !== undefined) checkName(name);
  return {
    host,
    port,
    name,
    pin: givenPin(options, pin),
    tls: options.flag('tls'),
    store: store === undefined ? undefined : resolve(store),
  };
}
