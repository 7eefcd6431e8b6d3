import type { SottoClient } from '@sotto/client';
import { CHAT_HELP } from '../command-line/chat-help.js';
import { UsageError } from '../command-line/usage-error.js';
import type { AccountCommands } from './account-commands.js';
import type { ContactCommand } from './chat-command.js';
import type { ChatEvent } from './chat-event.js';
import { connectionEvent } from './connection-event.js';
import { withPeople } from './group-command.js';
import type { GroupCommands } from './group-commands.js';
import type { FurtherCommand, Surroundings } from './surroundings.js';
import { whomMeant } from './whom-meant.js';

/** An account at a server: its contacts, groups and devices. */
export class ServerSurroundings implements Surroundings {
  readonly help = CHAT_HELP;
  readonly isPeer = false;
  readonly whereToLook = '/contacts and /group list show whom there is';
  readonly #stopListening: () => void;

  constructor(
    private readonly client: SottoClient,
    private readonly account: AccountCommands,
    private readonly groupCommands: GroupCommands,
    /** HOST:PORT of the server. */
    private readonly address: string,
    private readonly show: (event: ChatEvent) => void,
  ) {
    this.#stopListening = client.on('state', (state) => show(connectionEvent(state)));
  }

  get groups() {
    return this.groupCommands.names;
  }

  stop(): void {
    this.#stopListening();
  }

  howToMeet(name: string): string {
    const meant = whomMeant(name, this.client.groups.all(), this.client.contacts());
    if (meant !== undefined) return meant;
    return `/add ${name} asks, /contacts lists them`;
  }

  async run(command: FurtherCommand): Promise<boolean> {
    switch (command.do) {
      case 'add':
      case 'accept':
      case 'decline':
      case 'remove':
      case 'block':
      case 'unblock':
        await this.#changeContact(command);
        return true;
      case 'group':
        await this.groupCommands.run(withPeople(command, (name) => this.#nameHere(name)));
        return true;
      case 'connect':
        throw new UsageError('/connect is for peers without a server: sotto listen, sotto connect');
      default:
        return this.account.run(command);
    }
  }

  async #changeContact({ do: what, name: typed }: ContactCommand): Promise<void> {
    const { client } = this;
    const name = this.#nameHere(typed);
    const changes: Record<ContactCommand['do'], () => Promise<void>> = {
      add: () => this.#add(name),
      accept: () => client.accept(name),
      decline: () => client.decline(name),
      remove: () => client.remove(name),
      block: () => client.block(name),
      unblock: () => client.unblock(name),
    };
    await changes[what]();
  }

  /** Of whom is asked already, or is a contact, nothing changes: what is known is said again, as an answer. */
  async #add(name: string): Promise<void> {
    const status = () => this.client.contacts().find((each) => each.name === name)?.status;
    const before = status();
    await this.client.requestContact(name);
    if (before !== undefined && before === status()) this.show({ event: 'contact', name, state: before });
  }

  /** People pass names on with the server behind them. */
  #nameHere(typed: string): string {
    const [name = '', where] = typed.split('@', 2);
    if (where !== undefined && where !== this.address)
      throw new UsageError(`this is ${this.address} alone; sotto on the whole screen opens several servers, and there ${typed} names one`);
    return name;
  }
}
