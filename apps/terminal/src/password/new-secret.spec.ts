import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { askOn } from '../join/asker.js';
import { readPassword } from './password.js';

const GOOD = 'correct horse battery';

/** Someone who answers each question with the next of their answers. */
function typist(...answers: string[]) {
  const asked: string[] = [];
  const answer = (question: string): string => {
    asked.push(question);
    return answers.shift() ?? '\u0003';
  };
  return { asked, answer };
}

/** The terminal of somebody who registers. */
function registers(...answers: string[]) {
  const { asked, answer } = typist(...answers.map((each) => `${each}\r`));
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input });
  const output = new PassThrough();
  output.on('data', (shown: Buffer) => {
    if (String(shown).endsWith(': ')) input.write(answer(String(shown)));
  });
  const password = readPassword({ from: 'prompt' }, { input: input as unknown as NodeJS.ReadStream, output }, true);
  return { password, asked };
}

describe('a new password', () => {
  it('is asked for again at once when it is too short, and when the two differ', async () => {
    const { password, asked } = registers('short', GOOD, 'correct hose battery', GOOD, GOOD);
    expect(await password).toBe(GOOD);
    expect(asked).toEqual([
      'New password (10 bytes or more): ',
      'That has 5 bytes, and 10 are the least: a letter or a digit has one.\nNew password (10 bytes or more): ',
      'Once more: ',
      'The two differ: both once more.\nNew password (10 bytes or more): ',
      'Once more: ',
    ]);
  });

  it('is counted in bytes, as the server counts it', async () => {
    expect(await registers('ääääé', 'ääääé').password).toBe('ääääé');
  });

  it('is given up by Ctrl-C, at either question', async () => {
    await expect(registers().password).rejects.toThrow('given up');
    await expect(registers(GOOD).password).rejects.toThrow('given up');
  });

  it('is asked for in the same way in the middle of a conversation', async () => {
    const { asked, answer } = typist('short', GOOD, 'correct hose battery', GOOD, GOOD);
    const asker = askOn(() => ({ ask: async (question) => answer(question) }));
    expect(await asker.hidden('New password: ', true)).toBe(GOOD);
    expect(asked).toHaveLength(5);
    const leaver = typist(GOOD, '');
    await expect(askOn(() => ({ ask: async (question) => leaver.answer(question) })).hidden('New password: ', true)).rejects.toThrow(
      'given up',
    );
  });
});
