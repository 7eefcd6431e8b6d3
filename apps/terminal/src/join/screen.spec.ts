import { EventEmitter } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openScreen, type Screen } from './screen.js';

const UP = '\u001b[A';

let keyboard: PassThrough;
let shown: string;
let screen: Screen;

beforeEach(() => {
  shown = '';
  keyboard = new PassThrough();
  Object.assign(keyboard, { isTTY: true, setRawMode: () => keyboard });
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      shown += chunk.toString();
      done();
    },
  });
  Object.assign(output, { isTTY: true, columns: 80 });
  screen = openScreen(keyboard as unknown as NodeJS.ReadStream, output as unknown as NodeJS.WriteStream, '> ');
});
afterEach(() => screen.close());

const next = (lines: AsyncIterator<string>) => lines.next().then(({ value }) => value as string);

describe('a terminal', () => {
  it('shows what is typed, but not the answer to a hidden question', async () => {
    const lines = screen.lines()[Symbol.asyncIterator]();
    keyboard.write('hello bob\r');
    expect(await next(lines)).toBe('hello bob');
    expect(shown).toContain('hello bob');
    const answer = screen.ask('Password: ', true);
    keyboard.write('tr0ub4dor\r');
    expect(await answer).toBe('tr0ub4dor');
    expect(shown).toContain('Password: ');
    expect(shown).not.toContain('tr0ub4dor');
  });

  it('does not bring an answer back by the arrow for the line before', async () => {
    const lines = screen.lines()[Symbol.asyncIterator]();
    keyboard.write('hello bob\r');
    await next(lines);
    for (const hidden of [true, false]) {
      const answer = screen.ask('Password: ', hidden);
      keyboard.write('tr0ub4dor\r');
      await answer;
    }
    keyboard.write(`${UP}\r`);
    expect(await next(lines)).toBe('hello bob');
  });

  it('does not show a hidden answer when a message comes in its middle', async () => {
    const answer = screen.ask('Password: ', true);
    keyboard.write('tr0ub');
    await new Promise((resolve) => setImmediate(resolve));
    screen.show(['[14:03] bob: hi']);
    keyboard.write('4dor\r');
    expect(await answer).toBe('tr0ub4dor');
    expect(shown).toContain('bob: hi\nPassword: ');
    expect(shown).not.toContain('tr0ub');
  });

  it('gives no answer once its input has ended', async () => {
    const answer = screen.ask('Password: ', true);
    keyboard.end();
    expect(await answer).toBeUndefined();
  });
});

describe('a pipe', () => {
  it('is never asked', async () => {
    const input = Object.assign(new PassThrough(), { isTTY: false });
    const output = Object.assign(new EventEmitter(), { isTTY: false, write: () => true });
    const plain = openScreen(input as unknown as NodeJS.ReadStream, output as unknown as NodeJS.WriteStream, '> ');
    input.write('one\n');
    expect(await plain.ask('Password: ', true)).toBeUndefined();
    expect(await next(plain.lines()[Symbol.asyncIterator]())).toBe('one');
    plain.close();
  });
});
