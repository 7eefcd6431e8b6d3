import { existsSync } from 'node:fs';
import type { NewPeer } from '@sotto/client';
import type { StoreSecret } from '@sotto/client/node';
import type { JoinCommand } from '../command-line/commands/join.js';
import type { PeerCommand } from '../command-line/commands/peer.js';
import type { KeyFileSource } from '../command-line/secrets.js';
import { UsageError } from '../command-line/usage-error.js';
import type { Opening } from '../device/device.js';
import type { HomePorts } from '../homes/home.js';
import { homeIdOf, peerHomeId } from '../homes/home-id.js';
import { askOn } from '../join/asker.js';
import { SECRET_RULE, secretFault } from '../password/new-secret.js';
import type { TuiSession } from './tui-session.js';

/** Of a store: whether it is there, is to be made, and whether its secret came with the command. */
interface Wanted {
  readonly isStored: boolean;
  readonly isNew: boolean;
  readonly isGiven: boolean;
  readonly question: string;
}

/** Opens homes within a session: asks for what it needs, and shows how far it has come. */
export class HomeOpener {
  /** Passwords that opened something: one may open several. In memory for as long as the session is. */
  readonly #known = new Set<string>();
  /** Homes that did not open, and how to try again. */
  readonly #failed = new Map<string, () => Promise<void>>();

  /** @param given a password from a file or a descriptor, to be tried before anybody is asked. */
  constructor(
    private readonly session: TuiSession,
    given: string | undefined,
  ) {
    if (given !== undefined) this.#known.add(given);
  }

  /** Throws UsageError, and what the SDK throws; the home then stays in the list and says why. */
  open(command: JoinCommand): Promise<void> {
    const again = (): Promise<void> => this.open({ ...command, password: { from: 'prompt' } });
    return this.#open(homeIdOf(command), () => this.#enter(command), again);
  }

  /** As `open`. */
  openPeer(command: PeerCommand): Promise<void> {
    const again = (): Promise<void> => this.openPeer({ ...command, passphrase: { from: 'prompt' } });
    return this.#open(peerHomeId(command), () => this.#meet(command), again);
  }

  /** What did not open: the user is asked for its secret, wherever that came from before. Undefined: there is no such home. */
  openAgain(id: string): Promise<void> | undefined {
    return this.#failed.get(id)?.();
  }

  async #open(id: string, enter: () => Promise<void>, again: () => Promise<void>): Promise<void> {
    const { session } = this;
    if (session.homes.includes(id)) return session.dispatch({ type: 'open', home: id, conversation: '' });
    this.#failed.delete(id);
    session.dispatch({ type: 'home', home: { id, label: id, state: 'opening' } });
    try {
      await enter();
    } catch (error) {
      const text = error instanceof Error ? error.message : 'failed';
      session.dispatch({ type: 'connection', home: id, state: 'failed', cause: text });
      const lines = [text, '/login on this line tries again'];
      session.dispatch({ type: 'note', home: id, conversation: '', at: Date.now(), tone: 'error', lines });
      this.#failed.set(id, again);
      throw error;
    }
  }

  // --- an account on a server

  /** What is stored opens by one of the passwords that are known, or by the one that the user knows. */
  async #enter(command: JoinCommand): Promise<void> {
    // Loaded here: the first frame waits for no cryptography.
    const { byPassword, storeFileIn, storeFolderOf } = await import('../device/device.js');
    const isStored = existsSync(storeFileIn(storeFolderOf(command)));
    const isNew = command.register !== undefined && !isStored;
    const id = homeIdOf(command);
    const question = isNew ? `New password for ${id} (${SECRET_RULE}): ` : `Password for ${id}: `;
    const isGiven = command.password.from !== 'prompt';
    if (command.keyFile !== undefined) {
      const store = await this.#keyOf(command.keyFile, isStored);
      const [given] = isGiven ? this.#known : [];
      return this.#enterWith(command, {
        store,
        password: async () => given ?? askOn(() => this.session.questions).hidden(question, isNew),
      });
    }
    await this.#withSecret({ isStored, isNew, isGiven, question }, (password) => this.#enterWith(command, byPassword(password)));
  }

  async #keyOf(source: KeyFileSource, isStored: boolean): Promise<Uint8Array> {
    const { openKeyFile } = await import('../password/key-file.js');
    return openKeyFile(source, isStored, {
      confirm: (question) => askOn(() => this.session.questions).yes(question),
      warn: (text) => this.session.dispatch({ type: 'notice', tone: 'error', text }),
    });
  }

  async #enterWith(command: JoinCommand, opening: Opening): Promise<void> {
    const { session } = this;
    const id = homeIdOf(command);
    const ask = askOn(() => session.questions);
    const { openAccountHome } = await import('../homes/account-home.js');
    const { home, first } = await openAccountHome(command, opening, {
      ...this.#ports(id),
      trust: (pin) => ask.yes(`${id} is new here. Its identity (pin) is\n  ${pin}\nIs that what its operator told you?`),
      passphrase: () => this.#passphrase(command, id),
      oneOfSeveral: true,
    });
    session.add(id, home, first);
  }

  async #passphrase({ recovery }: JoinCommand, id: string): Promise<string> {
    if (recovery === undefined || recovery.passphrase.from === 'prompt') {
      return askOn(() => this.session.questions).hidden(`Passphrase of the recovery file for ${id}: `);
    }
    const { readPassphrase } = await import('../password/password.js');
    return readPassphrase(recovery.passphrase, { input: process.stdin, output: process.stderr });
  }

  // --- peers without a server

  async #meet(command: PeerCommand): Promise<void> {
    const { isNewPeerStore, openPeerHome } = await import('../homes/peer-home.js');
    const { NEW_PEER_QUESTION, newPeerLines } = await import('../peer/peer-surroundings.js');
    const id = peerHomeId(command);
    const isNew = isNewPeerStore(command);
    const question = isNew ? `New passphrase for what is stored here (${SECRET_RULE}): ` : `Passphrase for ${id}: `;
    const ask = askOn(() => this.session.questions);
    const trust = async (peer: NewPeer) => command.trustNew || ask.yes(`${newPeerLines(peer)}${NEW_PEER_QUESTION}`);
    const meet = async (secret: StoreSecret) => {
      const { home, first } = await openPeerHome(command, secret, trust, this.#ports(id));
      this.session.add(id, home, first);
      // There is no server to be connected to.
      this.session.dispatch({ type: 'connection', home: id, state: 'online' });
    };
    if (command.keyFile !== undefined) return meet(await this.#keyOf(command.keyFile, !isNew));
    await this.#withSecret({ isStored: !isNew, isNew, isGiven: command.passphrase.from !== 'prompt', question }, async (passphrase) => {
      const fault = isNew ? secretFault(passphrase) : undefined;
      if (fault !== undefined) throw new UsageError(`the passphrase is too short. ${fault}`);
      await meet(passphrase);
    });
  }

  // --- what both need

  /** Tries the secrets that are known, then asks. */
  async #withSecret({ isStored, isNew, isGiven, question }: Wanted, open: (secret: string) => Promise<void>): Promise<void> {
    const { WrongPassword } = await import('../device/device.js');
    for (const secret of isStored || isGiven ? this.#known : []) {
      try {
        return await open(secret);
      } catch (error) {
        if (!(error instanceof WrongPassword) || isGiven) throw error;
      }
    }
    const secret = await askOn(() => this.session.questions).hidden(question, isNew);
    await open(secret);
    this.#known.add(secret);
  }

  #ports(id: string): HomePorts {
    const { session } = this;
    return {
      ask: askOn(() => session.questions),
      numbers: session.numbersOf(id),
      // A screen shows one conversation of many.
      showingIsReading: false,
      show: (event) => session.hear(id, event),
    };
  }
}
