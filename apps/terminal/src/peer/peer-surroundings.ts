import type { ConnectionState, Contact, NewPeer, PeerClient } from '@sotto/client';
import { parsePeerAddress, type Address } from '../command-line/address.js';
import { PEER_HELP } from '../command-line/chat-help.js';
import { UsageError } from '../command-line/usage-error.js';
import type { Destruction } from '../panic/destroyed-text.js';
import { isConfirmed } from '../panic/destruction.js';
import type { Asker } from '../join/asker.js';
import type { ConnectCommand } from '../join/chat-command.js';
import type { PanicOrder } from '../join/account-command.js';
import type { ChatEvent } from '../join/chat-event.js';
import { connectionEvent } from '../join/connection-event.js';
import type { FurtherCommand, Groups, Surroundings } from '../join/surroundings.js';
import { hostForUrl, PIN_PATTERN } from '../link/join-link.js';

/** Peers without a server: connections to them, and keys that are shown at the first meeting. */
export class PeerSurroundings implements Surroundings {
  readonly groups: Groups = {
    find: () => undefined,
    nameOf: () => undefined,
    whereOf: (conversation) => ({ conversation }),
    isFormer: () => false,
  };
  readonly help = PEER_HELP;
  readonly isPeer = true;
  readonly whereToLook = '/contacts shows whom there is, /connect HOST:PORT reaches somebody';
  readonly #stopListening: (() => void)[];
  readonly #known: Set<string>;
  #dialed = '';
  /** To whom the next line goes is said once a dial: the user may choose another afterwards. */
  #turn = true;
  #last: ConnectionState | undefined;

  constructor(
    private readonly client: PeerClient,
    private readonly show: (event: ChatEvent) => void,
    /** The next line goes to this contact. */
    private readonly turnTo: (name: string) => void,
    private readonly tools: { readonly ask: Asker; readonly destroy: () => Promise<Destruction> },
  ) {
    this.#known = new Set(client.contacts().map(({ name }) => name));
    this.#stopListening = [
      client.on('state', (state) => this.#stateChanged(state)),
      client.on('contact', (contact) => this.#contactChanged(contact)),
    ];
  }

  stop(): void {
    for (const stop of this.#stopListening) stop();
  }

  /** Tries once, and goes on trying. Throws when that is of no use: what is there is something else, or there is nobody who ever was. */
  async dial({ host, port }: Address, pin?: string): Promise<void> {
    this.client.disconnect();
    this.#dialed = `${hostForUrl(host)}:${port}`;
    this.#turn = true;
    await this.client.connect(`ws://${this.#dialed}/`, { pin });
    const state = this.#last;
    const isOver = state?.state === 'refused' && !this.client.contacts().some(({ changedKey }) => changedKey !== undefined);
    const isUnknown = state?.state === 'offline' && this.client.contacts().length === 0;
    if (isOver || isUnknown) throw new Error(`not connected to ${this.#dialed}: ${state.cause}`);
  }

  howToMeet(): string {
    return '/connect HOST:PORT reaches somebody, /contacts lists them';
  }

  async run(command: FurtherCommand): Promise<boolean> {
    if (command.do === 'panic') return !(await this.#panic(command));
    if (command.do !== 'connect') throw new UsageError(`there is no /${command.do} between peers: that takes a server (sotto help join)`);
    await this.#connect(command);
    return true;
  }

  async #panic({ name }: PanicOrder): Promise<boolean> {
    const isSure = await isConfirmed(this.client.account.name, name, this.tools.ask);
    this.show(isSure ? { event: 'destroyed', ...(await this.tools.destroy()) } : { event: 'notice', text: 'Nothing was changed.' });
    return isSure;
  }

  async #connect({ address, pin }: ConnectCommand): Promise<void> {
    if (pin !== undefined && !PIN_PATTERN.test(pin.toLowerCase())) throw new UsageError('a pin has 64 hexadecimal digits');
    await this.dial(parsePeerAddress(address), pin?.toLowerCase());
  }

  #stateChanged(state: ConnectionState): void {
    this.#last = state;
    this.show({ ...connectionEvent(state), peer: this.#dialed });
    const { dialed } = this.client;
    if (state.state !== 'online' || dialed === undefined || !this.#turn) return;
    this.#turn = false;
    this.turnTo(dialed);
  }

  /** The first thing that is said of somebody new, or of a new key. */
  #contactChanged({ name, changedKey }: Contact): void {
    if (this.#known.has(name) && changedKey === undefined) return;
    this.#known.add(name);
    this.show({ event: 'safety-number', name, number: this.client.safetyNumber(name) });
  }
}

/** What the user reads before a new peer hears anything. */
export function newPeerLines({ name, pin, safetyNumber }: NewPeer): string {
  return `You have not met who answers there. It calls itself ${name}; its pin is\n  ${pin}\nYour safety number with it, which the other end shows once you have said yes, is\n  ${safetyNumber}\n`;
}

/** The listener shows its pin from the start; it knows of nobody yet with whom it could have a safety number. */
export const NEW_PEER_QUESTION = 'Is that the pin that the other end shows?';
