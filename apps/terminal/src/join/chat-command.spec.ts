import { describe, expect, it } from '@jest/globals';
import { parseJsonLine, parseTypedLine } from './chat-command.js';

describe('a typed line', () => {
  it.each([
    ['hello bob', { do: 'send', text: 'hello bob' }],
    ['//etc', { do: 'send', text: '/etc' }],
    ['/add bob', { do: 'add', name: 'bob' }],
    ['/to bob', { do: 'to', name: 'bob' }],
    ['/to bob hi there', { do: 'send', to: 'bob', text: 'hi there' }],
    ['/discard #2', { do: 'discard', message: '#2' }],
    ['/contacts ', { do: 'contacts' }],
    ['   ', undefined],
  ])('%j is understood', (line, command) => {
    expect(parseTypedLine(line)).toEqual(command);
  });

  it.each([
    ['/acept bob', 'did you mean /accept?'],
    ['/add', 'takes one NAME'],
    ['/add bob carol', 'takes one NAME'],
    ['/quit now', 'stands alone'],
    ['/to', 'takes a NAME'],
  ])('%j is refused with what to type', (line, reason) => {
    expect(() => parseTypedLine(line)).toThrow(reason);
  });
});

describe('a JSON line', () => {
  it('says the same as a typed one', () => {
    expect(parseJsonLine('{"do":"send","to":"bob","text":"/hi"}')).toEqual({ do: 'send', to: 'bob', text: '/hi' });
    expect(parseJsonLine('{"do":"add","name":"bob"}')).toEqual({ do: 'add', name: 'bob' });
    expect(parseJsonLine('{"do":"queue"}')).toEqual({ do: 'queue' });
  });

  it.each(['hello', '[1]', '{"do":"fly"}', '{"do":"add"}', '{"do":"send","text":3}'])('is refused when it is %s', (line) => {
    expect(() => parseJsonLine(line)).toThrow();
  });
});
