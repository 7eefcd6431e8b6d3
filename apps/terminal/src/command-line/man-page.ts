import { EXIT_STATUS } from './exit-status.js';
import { HELP_TOPICS, helpText } from './help.js';

const FILES = `~/.local/share/sotto/HOST_PORT/NAME            the device of an account: its keys and messages,
                                               sealed by the password or a key file
~/.local/share/sotto/HOST_PORT/NAME-mailbox    the same of a mailbox of that account; sotto export and
                                               sotto panic take it by --store
~/.local/share/sotto/peer/NAME                 the same of somebody who talks without a server; it goes
                                               by /panic in a session
~/.local/share/sotto/server                    what sotto host keeps: accounts, contacts, and in
                                               invite-door.json by what sotto invite reaches it
~/.config/sotto/servers.json                   which accounts are remembered; no secrets

XDG_DATA_HOME and XDG_CONFIG_HOME move them, --store and --data each alone. A device's folder has one file, store.db, and
beside it what the database needs while it is open.`;

/** All that `sotto help` tells, for man(1). */
export function manPage(version: string): string {
  const name = 'sotto \\- end\\-to\\-end encrypted conversations on a server of your own';
  return [
    `.TH SOTTO 1 "" "sotto ${version}" "Sotto"`,
    '.SH NAME',
    name,
    ...section('SYNOPSIS', helpText()),
    ...HELP_TOPICS.flatMap((topic) => section(`SOTTO ${topic.toUpperCase()}`, helpText(topic))),
    ...section('FILES', FILES),
    ...section('EXIT STATUS', EXIT_STATUS),
    '',
  ].join('\n');
}

/** The help is laid out already: lines stay as they are. */
function section(title: string, text: string): string[] {
  return [`.SH "${title}"`, '.nf', ...text.split('\n').map(roff), '.fi'];
}

/** groff_char(7); a period or an apostrophe at the beginning of a line would be a request. */
function roff(line: string): string {
  const escaped = line
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/'/g, '\\(aq')
    .replace(/`/g, '\\(ga')
    .replace(/\^/g, '\\(ha')
    .replace(/~/g, '\\(ti');
  return /^\./.test(escaped) ? `\\&${escaped}` : escaped;
}
