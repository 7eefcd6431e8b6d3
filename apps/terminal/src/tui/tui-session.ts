import { UsageError } from '../command-line/usage-error.js';
import type { Home } from '../homes/home.js';
import { type ChatCommand, parseTypedLine } from '../join/chat-command.js';
import type { ChatEvent } from '../join/chat-event.js';
import { MessageNumbers } from '../join/message-numbers.js';
import { translate } from './chat-translation.js';
import { historyPage } from './history-page.js';
import { RosterWatch } from './roster-watch.js';
import { keyHelp } from './key-help.js';
import { type Effect, press } from './keyboard.js';
import type { Key } from './keys.js';
import { Questions } from './questions.js';
import { Reading } from './reading.js';
import { route, withName } from './routing.js';
import { emptyState, type HomeId, keyOf, type Place, selectedOf, type TuiState } from './state.js';
import { TypingWatch } from './typing-watch.js';
import { type TuiEvent, update } from './update.js';

/** What the session draws on. */
export interface SessionScreen {
  readonly size: { readonly columns: number; readonly rows: number };
  show(state: TuiState): void;
  redraw(): void;
}

/** Lines of the session itself. Undefined: this is none. */
export type SessionCommand = (line: string, place: Place) => Promise<void> | undefined;

interface OpenHome {
  readonly home: Home;
  readonly roster: RosterWatch;
  /** Messages leave in the order in which they were written; other commands do not hold them up. */
  sending: Promise<void>;
}

/** Between the screen and the homes: keys become commands, events become what is shown. Drawing and homes are waited for by nobody. */
export class TuiSession {
  readonly questions = new Questions((event) => this.dispatch(event));
  readonly left: Promise<void>;
  #leave: () => void = () => undefined;
  #state: TuiState;
  readonly #homes = new Map<HomeId, OpenHome>();
  readonly #typing = new TypingWatch((event) => this.dispatch(event));
  readonly #reading = new Reading((home) => this.#homes.get(home)?.home.client);
  readonly #numbers = new Map<HomeId, MessageNumbers>();

  constructor(
    private readonly screen: SessionScreen,
    private readonly sessionCommand: SessionCommand,
  ) {
    const { columns, rows } = screen.size;
    this.#state = emptyState(columns, rows);
    this.left = new Promise((resolve) => (this.#leave = resolve));
    screen.show(this.#state);
  }

  get homes(): readonly HomeId[] {
    return [...this.#homes.keys()];
  }

  /** How many messages of all open homes wait to be delivered. */
  get undelivered(): number {
    return [...this.#homes.values()].reduce((sum, { home }) => sum + home.chat.undelivered, 0);
  }

  dispatch(event: TuiEvent): void {
    this.#show(update(this.#state, event));
  }

  press(key: Key): void {
    const { state, effects } = press(this.#state, key);
    this.#show(state);
    for (const effect of effects) this.#perform(effect);
  }

  leave(): void {
    this.questions.giveUp();
    this.#leave();
  }

  numbersOf(home: HomeId): MessageNumbers {
    const numbers = this.#numbers.get(home) ?? new MessageNumbers();
    this.#numbers.set(home, numbers);
    return numbers;
  }

  /** What a home says, from before it is open on. */
  hear(home: HomeId, event: ChatEvent): void {
    if (event.event === 'typing') this.#typing.hear({ home, conversation: event.conversation }, event.by);
    if (event.event === 'message') this.#typing.done({ home, conversation: event.group ?? event.from }, event.from);
    const ownName = this.#homes.get(home)?.home.client.account?.name;
    for (const change of translate(event, { home, ownName, numbers: this.numbersOf(home), now: Date.now() })) this.dispatch(change);
  }

  add(id: HomeId, home: Home, first: readonly ChatEvent[]): void {
    const roster = new RosterWatch(id, home, (event) => this.dispatch(event));
    this.#homes.set(id, { home, roster, sending: Promise.resolve() });
    for (const event of first) this.hear(id, event);
    home.chat.start();
    this.#readOn();
    void this.#countUnread(id, home);
  }

  /** What came while nobody looked: in another session, or on this device alone. */
  async #countUnread(id: HomeId, { client, groups }: Home): Promise<void> {
    const known = client.contacts().flatMap(({ name, status }) => (status === 'accepted' ? name : []));
    for (const conversation of [...known, ...groups().map((group) => group.id)]) {
      // A home that is closed meanwhile counts nothing any more.
      const count = await client.unread(conversation).catch(() => 0);
      if (count > 0) this.dispatch({ type: 'unread', home: id, conversation, count });
    }
  }

  /** Closes a home and takes it off the screen. */
  async remove(id: HomeId): Promise<void> {
    const open = this.#homes.get(id);
    this.#homes.delete(id);
    open?.roster.stop();
    await open?.home.close();
    this.dispatch({ type: 'home-gone', home: id });
  }

  async close(): Promise<void> {
    this.#typing.stop();
    const open = [...this.#homes.values()];
    this.#homes.clear();
    for (const { roster } of open) roster.stop();
    await Promise.allSettled(open.map(({ home }) => home.close()));
  }

  #show(state: TuiState): void {
    if (state === this.#state) return;
    const before = this.#state.selected;
    this.#state = state;
    this.screen.show(state);
    this.#reading.see(state);
    if (state.selected !== before) this.#readOn();
  }

  // --- what keys ask for

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'run':
        return this.#run(effect.place, effect.line);
      case 'answer':
        return this.questions.answer(effect.question, effect.text);
      case 'help':
        return this.#showHelp();
      case 'older':
        return void this.#loadHistory(effect, true);
      case 'redraw':
        return this.screen.redraw();
      case 'leave':
        return this.leave();
    }
  }

  #showHelp(): void {
    const { home } = selectedOf(this.#state) ?? {};
    const lines = keyHelp(home === undefined ? undefined : this.#homes.get(home)?.home.help);
    this.dispatch({ type: 'panel', panel: { title: 'keys and commands', lines, scroll: 0 } });
  }

  #run(place: Place, line: string): void {
    void this.#tryToRun(place, line).catch((error: unknown) => {
      this.dispatch({ type: 'returned', ...place, text: line });
      this.dispatch({ type: 'notice', tone: 'error', text: messageOf(error) });
    });
  }

  async #tryToRun(place: Place, line: string): Promise<void> {
    const session = this.sessionCommand(line, place);
    if (session !== undefined) return session;
    const typed = parseTypedLine(withName(line, this.#state.conversations.get(keyOf(place))));
    if (typed === undefined) return;
    if (typed.do === 'quit') return this.leave();
    if (typed.do === 'help') return this.#showHelp();
    const { home, command } = route(typed, place, new Map([...this.#homes].map(([id, each]) => [id, each.home])));
    const open = this.#homes.get(home);
    if (open === undefined) throw new UsageError('this account is not open: its own line in the list tells why, and /login tries again');
    await this.#command(open, home === place.home ? place : { home, conversation: '' }, command);
  }

  async #command(open: OpenHome, place: Place, command: ChatCommand): Promise<void> {
    const { chat } = open.home;
    // A home alone (/to @HOST:PORT) is where what concerns the account is typed.
    const conversationOf = (name: string) => (name === '' ? '' : chat.conversationOf(name));
    if (command.do === 'to') return this.dispatch({ type: 'open', home: place.home, conversation: conversationOf(command.name) });
    if (command.do !== 'send')
      return void ((await chat.run(command, place.conversation || undefined)) ? open.roster.now() : await this.remove(place.home));
    const to = command.to === undefined ? place.conversation : conversationOf(command.to);
    if (to === '') throw new UsageError('nobody reads what is written here: choose a conversation, or /to NAME');
    if (command.to !== undefined) this.dispatch({ type: 'open', home: place.home, conversation: to });
    const sent = open.sending.then(async () => void (await chat.run({ ...command, to })));
    open.sending = sent.catch(() => undefined);
    await sent;
  }

  // --- history

  /** Loads what the device keeps of the conversation that is shown now. */
  #readOn(): void {
    const selected = selectedOf(this.#state);
    if (selected?.history === 'unread' && this.#homes.has(selected.home)) void this.#loadHistory(selected, false);
  }

  async #loadHistory({ home, conversation }: Place, older: boolean): Promise<void> {
    const place = { home, conversation };
    const open = this.#homes.get(home);
    if (open === undefined) return;
    const oldest = this.#state.conversations.get(keyOf(place))?.entries.find((each) => each.kind === 'message');
    this.dispatch({ type: 'history-asked', ...place });
    try {
      const before = older && oldest?.kind === 'message' ? oldest.id : undefined;
      const page = await historyPage(open.home.client, this.numbersOf(home), conversation, before);
      this.dispatch({ type: 'history', ...place, ...page });
    } catch (error) {
      // Scrolling back asks again.
      this.dispatch({ type: 'history', ...place, messages: [], whole: false });
      this.dispatch({ type: 'notice', tone: 'error', text: messageOf(error) });
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'failed';
}
