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
    ['/remove bob', { do: 'remove', name: 'bob' }],
    ['/block bob', { do: 'block', name: 'bob' }],
    ['/unblock bob', { do: 'unblock', name: 'bob' }],
    ['/history bob', { do: 'history', name: 'bob', count: 20 }],
    ['/history bob 3', { do: 'history', name: 'bob', count: 3 }],
    ['/devices', { do: 'devices' }],
    ['/approve', { do: 'approve' }],
    ['/approve 12345678', { do: 'approve', code: '12345678' }],
    ['/approve 1234 5678', { do: 'approve', code: '1234 5678' }],
    ['/approve 3f2a9c01', { do: 'approve', device: '3f2a9c01' }],
    ['/deny', { do: 'deny' }],
    ['/revoke 3f2a', { do: 'revoke', device: '3f2a' }],
    ['/recovery my drawer.sotto', { do: 'recovery', file: 'my drawer.sotto', secrets: {} }],
    ['/reset-key', { do: 'reset-key', secrets: {} }],
    ['/confirm bob', { do: 'confirm', name: 'bob', secrets: {} }],
    ['/password', { do: 'password', secrets: {} }],
    ['/login', { do: 'login', secrets: {} }],
    ['/delete-account', { do: 'delete-account', secrets: {} }],
    ['/invite', { do: 'invite' }],
    ['/invite carol', { do: 'invite', name: 'carol' }],
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
    ['/password correct horse', 'what it needs, it asks for'],
    ['/login correct horse', 'what it needs, it asks for'],
    ['/reset-key now', 'stands alone'],
    ['/recovery', 'takes a FILE'],
    ['/revoke', 'takes one DEVICE'],
    ['/approve 3f2a now', 'takes one CODE, or none'],
    ['/history bob 0', 'from 1 to'],
    ['/history bob many', 'from 1 to'],
    ['/history bob 1 2', 'takes a NAME, and how many'],
  ])('%j is refused with what to type', (line, reason) => {
    expect(() => parseTypedLine(line)).toThrow(reason);
  });
});

describe('a JSON line', () => {
  it('says the same as a typed one', () => {
    expect(parseJsonLine('{"do":"send","to":"bob","text":"/hi"}')).toEqual({ do: 'send', to: 'bob', text: '/hi' });
    expect(parseJsonLine('{"do":"add","name":"bob"}')).toEqual({ do: 'add', name: 'bob' });
    expect(parseJsonLine('{"do":"queue"}')).toEqual({ do: 'queue' });
    expect(parseJsonLine('{"do":"history","name":"bob","count":3}')).toEqual({ do: 'history', name: 'bob', count: 3 });
    expect(parseJsonLine('{"do":"approve","device":"3f2a","code":"12345678"}')).toEqual({
      do: 'approve',
      device: '3f2a',
      code: '12345678',
    });
  });

  it('carries the secrets that a typed line leaves to a question', () => {
    expect(parseJsonLine('{"do":"password","password":"old","new":"new"}')).toEqual({
      do: 'password',
      secrets: { password: 'old', newPassword: 'new' },
    });
    expect(parseJsonLine('{"do":"recovery","file":"f","passphrase":"p"}')).toEqual({
      do: 'recovery',
      file: 'f',
      secrets: { passphrase: 'p' },
    });
    expect(parseJsonLine('{"do":"delete-account","password":"p","confirm":true}')).toEqual({
      do: 'delete-account',
      secrets: { password: 'p', confirm: true },
    });
    expect(parseJsonLine('{"do":"reset-key","confirm":"yes"}')).toEqual({ do: 'reset-key', secrets: {} });
  });

  it.each(['hello', '[1]', '{"do":"fly"}', '{"do":"add"}', '{"do":"send","text":3}', '{"do":"history","name":"bob","count":"3"}'])(
    'is refused when it is %s',
    (line) => {
      expect(() => parseJsonLine(line)).toThrow();
    },
  );
});
