import { existsSync } from 'node:fs';
import type { JoinCommand } from '../command-line/command.js';
import { homeIdOf } from '../homes/home-id.js';
import { askOn } from '../join/asker.js';
import type { TuiSession } from './tui-session.js';

/** Opens accounts within a session: asks for what it needs, and shows how far it has come. */
export class HomeOpener {
  /** Passwords that opened something: one may open several. In memory for as long as the session is. */
  readonly #known = new Set<string>();

  /** @param given a password from a file or a descriptor, to be tried before anybody is asked. */
  constructor(
    private readonly session: TuiSession,
    given: string | undefined,
  ) {
    if (given !== undefined) this.#known.add(given);
  }

  /** Throws UsageError, and what the SDK throws; the home then stays in the list and says why. */
  async open(command: JoinCommand): Promise<void> {
    const { session } = this;
    const id = homeIdOf(command);
    if (session.homes.includes(id)) return session.dispatch({ type: 'open', home: id, conversation: '' });
    session.dispatch({ type: 'home', home: { id, label: id, state: 'opening' } });
    try {
      await this.#enter(command);
    } catch (error) {
      const text = error instanceof Error ? error.message : 'failed';
      session.dispatch({ type: 'connection', home: id, state: 'failed', cause: text });
      session.dispatch({ type: 'note', home: id, conversation: '', at: Date.now(), tone: 'error', lines: [text] });
      throw error;
    }
  }

  /** What is stored opens by one of the passwords that are known, or by the one that the user knows. */
  async #enter(command: JoinCommand): Promise<void> {
    // Loaded here: the first frame waits for no cryptography.
    const { storeFileOf, WrongPassword } = await import('../device/device.js');
    const isStored = existsSync(storeFileOf(command));
    const isGiven = command.password.from !== 'prompt';
    for (const password of isStored || isGiven ? this.#known : []) {
      try {
        return await this.#enterWith(command, password);
      } catch (error) {
        if (!(error instanceof WrongPassword) || isGiven) throw error;
      }
    }
    const isNew = command.register !== undefined;
    const question = isNew ? `New password for ${homeIdOf(command)} (10 characters or more): ` : `Password for ${homeIdOf(command)}: `;
    await this.#enterWith(command, await askOn(() => this.session.questions).hidden(question, isNew && !isStored));
  }

  async #enterWith(command: JoinCommand, password: string): Promise<void> {
    const { session } = this;
    const id = homeIdOf(command);
    const ask = askOn(() => session.questions);
    const { openAccountHome } = await import('../homes/account-home.js');
    const { home, first } = await openAccountHome(command, password, {
      ask,
      trust: (pin) => ask.yes(`${id} is new here. Is its identity (pin) really ${pin}, as its operator told you?`),
      passphrase: () => this.#passphrase(command, id),
      numbers: session.numbersOf(id),
      // A screen shows one conversation of many.
      showingIsReading: false,
      oneOfSeveral: true,
      show: (event) => session.hear(id, event),
    });
    this.#known.add(password);
    session.add(id, home, first);
  }

  async #passphrase({ recovery }: JoinCommand, id: string): Promise<string> {
    if (recovery === undefined || recovery.passphrase.from === 'prompt') {
      return askOn(() => this.session.questions).hidden(`Passphrase of the recovery file for ${id}: `);
    }
    const { readPassphrase } = await import('../password/password.js');
    return readPassphrase(recovery.passphrase, { input: process.stdin, output: process.stderr });
  }
}
