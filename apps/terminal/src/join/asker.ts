import { UsageError } from '../command-line/usage-error.js';
import { askNewSecret } from '../password/new-secret.js';

/** Questions in the middle of a conversation, for what must not stand in a command. Throws UsageError when nobody can answer. */
export interface Asker {
  /** Without echo. @param twice for a new secret, which must be long enough and not have a slip of the finger in it. */
  hidden(question: string, twice?: boolean): Promise<string>;
  yes(question: string): Promise<boolean>;
  /** What was typed, without spaces around it. */
  typed(question: string): Promise<string>;
}

/** Undefined: there is nobody, or whoever is there gives up. */
export interface Questioner {
  ask(question: string, hidden: boolean): Promise<string | undefined>;
}

/** On a terminal. @param screen once it is open. */
export function askOn(screen: () => Questioner | undefined): Asker {
  const answer = async (question: string, hidden: boolean): Promise<string> => {
    const answered = await screen()?.ask(question, hidden);
    if (answered === undefined) throw new UsageError('there is nobody to ask: use --json, where a command carries what it needs');
    return answered;
  };
  return {
    hidden: async (question, twice = false) => {
      const ask = async (text: string) => {
        const secret = await answer(text, true);
        if (secret === '') throw new UsageError('given up');
        return secret;
      };
      return twice ? askNewSecret(ask, question) : ask(question);
    },
    yes: async (question) => /^y(es)?$/i.test((await answer(`${question} [y/N] `, false)).trim()),
    typed: async (question) => (await answer(question, false)).trim(),
  };
}

/** To programs: what they left out. */
export const askNobody: Asker = {
  hidden: (question) =>
    Promise.reject(new UsageError(`the command lacks a secret (${question.replace(/:\s*$/, '')}): "password", "new" or "passphrase"`)),
  yes: () => Promise.reject(new UsageError('this cannot be undone: say "confirm": true')),
  typed: () => Promise.reject(new UsageError('this cannot be undone: say "name", and whose it is')),
};
