import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anyServer, type DemoServer, HOST } from '../../demo/dist/demo-server.js';
import { KEYS, PseudoTerminal, type TerminalSize } from './pseudo-terminal.js';

export const PASSWORD = 'correct horse battery';

/** A folder and a server of their own for people at terminals. */
export class People {
  private constructor(
    readonly folder: string,
    readonly server: DemoServer,
  ) {}

  static async on(): Promise<People> {
    const folder = await mkdtemp(join(tmpdir(), 'sotto-tui-'));
    await writeFile(join(folder, 'password'), `${PASSWORD}\n`, { mode: 0o600 });
    return new People(folder, await anyServer(2));
  }

  get passwordFile(): string {
    return join(this.folder, 'password');
  }

  /** Nothing of the machine's user, and no CI: there ink draws nothing until the end. */
  env(name: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const home = join(this.folder, 'homes', name);
    const { PATH, TZ, LANG } = process.env;
    return { PATH, TZ, LANG, HOME: home, TERM: 'xterm-256color', ...more };
  }

  async registers(name: string, size?: TerminalSize, more: NodeJS.ProcessEnv = {}): Promise<PseudoTerminal> {
    const link = await this.server.invite(name);
    const person = new PseudoTerminal(name, ['join', link, '--password-file', this.passwordFile], this.env(name, more), size);
    await person.shows(/Registered\. Your name/, 60);
    return person;
  }

  /** The device that has registered before. */
  returns(name: string, args: readonly string[] = [], size?: TerminalSize, more: NodeJS.ProcessEnv = {}): PseudoTerminal {
    const where = ['-t', HOST, '-p', String(this.server.port), '-k', this.server.pin, '-i', name];
    return new PseudoTerminal(name, ['join', ...where, '--password-file', this.passwordFile, ...args], this.env(name, more), size);
  }

  async leave(): Promise<void> {
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Both end up in their conversation. */
export async function becomeContacts(asking: PseudoTerminal, asked: PseudoTerminal): Promise<void> {
  asking.type(`/add ${asked.name}${KEYS.enter}`);
  await asked.shows(`? ${asking.name}`);
  asked.type(`/accept ${asking.name}${KEYS.enter}`);
  await Promise.all([asking.shows(`● ${asked.name}`), asked.shows(`● ${asking.name}`)]);
  for (const [person, other] of [
    [asking, asked],
    [asked, asking],
  ] as const) {
    person.type(`/to ${other.name}${KEYS.enter}`);
    await person.shows(new RegExp(`^ ${other.name} ● online`));
  }
}
