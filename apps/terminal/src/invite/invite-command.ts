import type { InviteCommand } from '../command-line/commands/invite.js';
import { defaultServerFolder } from '../command-line/folders.js';
import { askForInvite } from '../host/invite-door.js';

export async function runInvite({ name, data, json }: InviteCommand, out: (line: string) => void): Promise<void> {
  const invite = await askForInvite(data ?? defaultServerFolder(process.env), name);
  if (json) return out(JSON.stringify({ event: 'invite', ...invite }));
  out(invite.link);
  out(`For one person, until ${new Date(invite.expires * 1_000).toLocaleString()}.`);
}
