import { type Message, type SottoClient } from '@sotto/client';
import { MAILBOX_HELP } from '../command-line/chat-help.js';
import { UsageError } from '../command-line/usage-error.js';
import { INTERCEPTION } from '../device/interception.js';
import type { AccountCommands } from '../join/account-commands.js';
import type { ChatCommand } from '../join/chat-command.js';
import type { ChatEvent } from '../join/chat-event.js';
import { connectionEvent } from '../join/connection-event.js';
import type { GroupCommands } from '../join/group-commands.js';

/** Says what happens, and never what people wrote: its output ends in logs. */
export class Mailbox {
  /** Rejects when the server refuses this device for good. */
  readonly refused: Promise<never>;
  readonly #stopListening: (() => void)[];

  constructor(
    client: SottoClient,
    private readonly account: AccountCommands,
    private readonly groups: GroupCommands,
    private readonly show: (event: ChatEvent) => void,
  ) {
    let refuse: (error: Error) => void;
    this.refused = new Promise((_, reject) => (refuse = reject));
    // Nobody may be waiting yet.
    this.refused.catch(() => undefined);
    this.#stopListening = [
      client.on('state', (state) => {
        show(connectionEvent(state));
        if (state.state !== 'refused') return;
        refuse(new Error(state.reason === 'pin-changed' ? INTERCEPTION : `the server refuses this device: ${state.cause}`));
      }),
      client.on('message', (message) => this.#kept(message)),
      client.on('problem', ({ code, text }) => (code === 'pending-device' ? undefined : show({ event: 'notice', text }))),
    ];
  }

  stop(): void {
    for (const stop of this.#stopListening) stop();
  }

  /** What it needs to be let in. False: it is to end. Throws what the SDK throws, and UsageError. */
  run(command: ChatCommand): Promise<boolean> {
    switch (command.do) {
      case 'approve':
      case 'deny':
      case 'devices':
      case 'invisible':
        return this.account.run(command);
      case 'help':
        this.show({ event: 'help', text: MAILBOX_HELP });
        return Promise.resolve(true);
      case 'quit':
        return Promise.resolve(false);
      default:
        throw new UsageError(
          'a mailbox understands /approve, /deny, /devices, /invisible, /help and /quit: all else is done with sotto join',
        );
    }
  }

  #kept({ from, conversation, id, sentAt }: Message): void {
    const groupName = this.groups.names.nameOf(conversation);
    const own = groupName === undefined && from !== conversation ? { to: conversation } : {};
    this.show({ event: 'kept', from, ...own, ...(groupName !== undefined && { group: conversation, groupName }), id, sentAt });
  }
}
