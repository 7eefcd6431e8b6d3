import { HELP_TOPICS, helpText } from './help.js';

const FILES = `~/.local/share/sotto/HOST_PORT/NAME    the device of an account: its keys and messages, sealed by the password
~/.local/share/sotto/peer/NAME         the same of somebody who talks without a server
~/.local/share/sotto/server            what sotto host keeps
~/.config/sotto/servers.json           which accounts are remembered; no secrets

XDG_DATA_HOME and XDG_CONFIG_HOME move them.`;

const EXIT = `0  all went well
1  something failed; a line says what
2  the command line was not understood`;

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
    ...section('EXIT STATUS', EXIT),
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
