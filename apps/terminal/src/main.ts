#!/usr/bin/env node
import { parseCommand } from './command-line/command.js';
import { helpText } from './command-line/help.js';
import { UsageError } from './command-line/usage-error.js';
import { runHost } from './host/host-command.js';
import { runInvite } from './invite/invite-command.js';
import { runJoin } from './join/join-command.js';
import { runMailbox } from './mailbox/mailbox-command.js';

const VERSION = '0.1.0';
const out = (line: string): void => void process.stdout.write(`${line}\n`);
const err = (line: string): void => void process.stderr.write(`${line}\n`);

async function run(argv: readonly string[]): Promise<void> {
  const command = parseCommand(argv);
  switch (command.command) {
    case 'help':
      return out(helpText(command.about));
    case 'version':
      return out(`sotto ${VERSION}`);
    case 'host':
      return runHost(command, { out, err });
    case 'invite':
      return runInvite(command, out);
    case 'join':
      return runJoin(command);
    case 'mailbox':
      return runMailbox(command);
  }
}

try {
  await run(process.argv.slice(2));
  process.exit(0);
} catch (error) {
  err(`sotto: ${error instanceof Error ? error.message : 'failed'}`);
  if (error instanceof UsageError) err('sotto help tells more.');
  process.exit(error instanceof UsageError ? 2 : 1);
}
