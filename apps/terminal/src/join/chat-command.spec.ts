import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { UsageError } from '../command-line/usage-error.js';
import { COMMAND_WORDS, parseJsonLine, parseTypedLine } from './chat-command.js';
import { JSON_FORMS } from './json-forms.js';

/** What the fields of JSON commands may hold. */
const SAMPLES: Readonly<Record<string, unknown>> = {
  ...{ count: 3, seconds: 60, days: 30, on: true, confirm: true, everywhere: true, admin: false, names: ['bob'], contacts: ['bob'] },
  ...{
    message: '3',
    text: 'tea',
    emoji: '+1',
    to: 'bob',
    in: 'bob',
    name: 'bob',
    group: 'tea',
    id: '3f2a',
    device: '3f2a',
    code: '12345678',
  },
  ...{ file: 'drawer.sotto', passphrase: 'p', password: 'p', new: 'n', address: 'h:1', pin: 'ab' },
};
/** What is missed only when it is needed. */
const SECRETS = ['password', 'new', 'passphrase', 'confirm'];

describe('a typed line', () => {
  it.each([
    ['hello bob', { do: 'send', text: 'hello bob' }],
    ['//etc', { do: 'send', text: '/etc' }],
    ['/add bob', { do: 'add', name: 'bob' }],
    ['/to bob', { do: 'to', name: 'bob' }],
    ['/to bob hi there', { do: 'send', to: 'bob', text: 'hi there' }],
    ['/discard #2', { do: 'discard', message: '#2' }],
    ['/resend all', { do: 'resend', message: 'all' }],
    ['/discard all "tea at five"', { do: 'discard', message: 'all', in: 'tea at five' }],
    ['/show 3', { do: 'show', message: '3' }],
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
    ['/group', { do: 'group', action: 'list' }],
    ['/group new tea', { do: 'group', action: 'new', name: 'tea', contacts: [] }],
    ['/group new "tea at five" bob carol', { do: 'group', action: 'new', name: 'tea at five', contacts: ['bob', 'carol'] }],
    ['/group add tea carol dave', { do: 'group', action: 'add', group: 'tea', names: ['carol', 'dave'] }],
    ['/group remove "tea at five" carol', { do: 'group', action: 'remove', group: 'tea at five', names: ['carol'] }],
    ['/group rename tea tea at  six', { do: 'group', action: 'rename', group: 'tea', name: 'tea at  six' }],
    ['/group rename tea "six"', { do: 'group', action: 'rename', group: 'tea', name: 'six' }],
    ['/group admin tea bob', { do: 'group', action: 'admin', group: 'tea', name: 'bob', admin: true }],
    ['/group admin tea bob off', { do: 'group', action: 'admin', group: 'tea', name: 'bob', admin: false }],
    ['/group members 3f2a', { do: 'group', action: 'members', group: '3f2a' }],
    ['/group keep tea dave', { do: 'group', action: 'keep', group: 'tea', names: ['dave'] }],
    ['/group leave tea', { do: 'group', action: 'leave', group: 'tea' }],
    ['/group accept 3f2a', { do: 'group', action: 'accept', id: '3f2a' }],
    ['/to "tea at five" hi there', { do: 'send', to: 'tea at five', text: 'hi there' }],
    ['/history "tea at five" 3', { do: 'history', name: 'tea at five', count: 3 }],
    ['/reply 3 yes, at five', { do: 'reply', message: '3', text: 'yes, at five' }],
    ['/react #3 👍', { do: 'react', message: '#3', emoji: '👍' }],
    ['/unreact 3', { do: 'unreact', message: '3' }],
    ['/unreact 3 👍', { do: 'unreact', message: '3', emoji: '👍' }],
    ['/edit 3 Tea at  five', { do: 'edit', message: '3', text: 'Tea at  five' }],
    ['/delete 3', { do: 'delete', message: '3' }],
    ['/expire 8h', { do: 'expire', afterMs: 28_800_000 }],
    ['/expire off', { do: 'expire', afterMs: undefined }],
    ['/search tea at five', { do: 'search', text: 'tea at five', count: 20 }],
    ['/read-receipts on', { do: 'read-receipts', on: true }],
    ['/retention 30', { do: 'retention', days: 30 }],
    ['/retention off', { do: 'retention', days: undefined }],
    ['/block bob', { do: 'block', name: 'bob' }],
    ['/block', { do: 'block' }],
    ['/remove', { do: 'remove' }],
    ['   ', undefined],
  ])('%j is understood', (line, command) => {
    expect(parseTypedLine(line)).toEqual(command);
  });

  it.each([
    ['/acept bob', 'did you mean /accept?'],
    ['/xylophone', 'there is no /xylophone: /help lists'],
    ['/group xylophone', 'there is no /group xylophone: /help lists'],
    ['/add', 'takes one NAME'],
    ['/add bob carol', 'takes one NAME'],
    ['/quit now', 'stands alone'],
    ['/grup list', 'did you mean /group?'],
    ['/group renam tea six', 'did you mean /group rename?'],
    ['/group new', 'takes NAME [CONTACT…]'],
    ['/group add tea', 'takes GROUP NAME…'],
    ['/group rename tea', 'takes GROUP NEW NAME'],
    ['/group rename tea   ', 'takes GROUP NEW NAME'],
    ['/group admin tea bob on', 'takes GROUP NAME [off]'],
    ['/group leave tea now', '"quotes"'],
    ['/group list all', 'stands alone'],
    ['/group new "tea', 'in quotes'],
    ['/to', 'takes a NAME'],
    ['/password correct horse', 'what it needs, it asks for'],
    ['/login correct horse', 'what it needs, it asks for'],
    ['/reset-key now', 'stands alone'],
    ['/recovery', 'takes a FILE'],
    ['/revoke', 'takes one DEVICE'],
    ['/approve 3f2a now', 'takes one CODE, or none'],
    ['/reply 3', 'takes a NUMBER and TEXT'],
    ['/react 3', 'takes a NUMBER and EMOJI'],
    ['/unreact', 'takes a NUMBER'],
    ['/edit', 'takes a NUMBER and TEXT'],
    ['/delete 3 4', 'takes one NUMBER'],
    ['/delet 3', 'did you mean /delete?'],
    ['/expire soon', 'takes a duration'],
    ['/search', 'takes WORDS'],
    ['/read-receipts', 'takes on or off'],
    ['/retention month', 'takes a number of DAYS'],
    ['/history bob 0', 'from 1 to'],
    ['/history bob many', 'from 1 to'],
    ['/history bob 1 2', 'takes a NAME or GROUP, and how many'],
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

  it('names messages by their ids, and their conversation if it was not shown', () => {
    const message = '0a'.repeat(16);
    const says = (command: object) => parseJsonLine(JSON.stringify(command));
    expect(says({ do: 'reply', message, text: 'yes' })).toEqual({ do: 'reply', message, text: 'yes' });
    expect(says({ do: 'react', message, emoji: '+1', in: 'bob' })).toEqual({ do: 'react', message, emoji: '+1', in: 'bob' });
    expect(says({ do: 'expire', seconds: 60, in: 'bob' })).toEqual({ do: 'expire', afterMs: 60_000, in: 'bob' });
    expect(says({ do: 'expire', seconds: null })).toEqual({ do: 'expire', afterMs: undefined });
    expect(says({ do: 'search', text: 'tea', count: 3 })).toEqual({ do: 'search', text: 'tea', count: 3 });
    expect(says({ do: 'read', message })).toEqual({ do: 'read', message });
    expect(says({ do: 'typing', in: 'bob' })).toEqual({ do: 'typing', in: 'bob' });
    expect(says({ do: 'read-receipts', on: false })).toEqual({ do: 'read-receipts', on: false });
    expect(says({ do: 'retention', days: null })).toEqual({ do: 'retention', days: undefined });
  });

  it('names groups and members as a typed one does', () => {
    expect(parseJsonLine('{"do":"group","action":"new","name":"tea","contacts":["bob"]}')).toEqual({
      do: 'group',
      action: 'new',
      name: 'tea',
      contacts: ['bob'],
    });
    expect(parseJsonLine('{"do":"group","action":"admin","group":"tea","name":"bob","admin":false}')).toMatchObject({ admin: false });
    expect(parseJsonLine('{"do":"group","action":"list"}')).toEqual({ do: 'group', action: 'list' });
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
    expect(parseJsonLine('{"do":"revoke","device":"3f2a","confirm":true}')).toEqual({ do: 'revoke', device: '3f2a', confirm: true });
    expect(parseJsonLine('{"do":"delete-account","password":"p","confirm":true}')).toEqual({
      do: 'delete-account',
      secrets: { password: 'p', confirm: true },
    });
  });

  it.each([
    ['{"do":"send","group":"tea","text":"at five"}', '"send" knows no "group": nothing was done; it takes "text", "to"'],
    ['{"do":"expire","to":"bob","duration":"10m"}', '"expire" knows no "to"'],
    ['{"do":"expire","in":"bob","seconds":60,"duration":"10m"}', '"expire" knows no "duration"'],
    [
      '{"do":"group","action":"new","name":"tea","members":["bob"]}',
      '"group new" knows no "members": nothing was done; it takes "action", "name"',
    ],
    ['{"do":"contacts","name":"bob"}', '"contacts" knows no "name": nothing was done; it stands alone'],
    ['{"do":"password","password":"p","new":"n","confirm":true}', '"password" knows no "confirm"'],
    ['{"do":"send","text":"hi","__proto__":{}}', '"send" knows no "__proto__"'],
  ])('is refused for a field that its command has not: %s', (line, reason) => {
    expect(() => parseJsonLine(line)).toThrow(reason);
  });

  it('of any form is understood, and means something else without a field that it need not have', () => {
    for (const [called, fields] of JSON_FORMS) {
      const [word = '', action] = called.split(' ');
      const names = fields.map((field) => field.replace('?', ''));
      const full = { do: word, ...(action !== undefined && { action }), ...Object.fromEntries(names.map((name) => [name, SAMPLES[name]])) };
      const understood = parseJsonLine(JSON.stringify(full));
      for (const name of names) {
        const less = JSON.stringify({ ...full, [name]: undefined });
        if (fields.includes(`${name}?`) || SECRETS.includes(name)) expect([less, parseJsonLine(less)]).not.toEqual([less, understood]);
        else expect(() => parseJsonLine(less)).toThrow(UsageError);
      }
    }
  });

  it('has a form for each command', () => {
    const words = [...COMMAND_WORDS, 'send'].filter((word) => word !== 'group');
    expect([...JSON_FORMS.keys()].filter((called) => !called.startsWith('group ')).sort()).toEqual(words.sort());
  });

  it('asks for the forms, which docs/json.md has as well', async () => {
    const help = (parseJsonLine('{"do":"help"}') as { text: string }).text;
    const page = await readFile(new URL('../../../../docs/json.md', import.meta.url), 'utf8');
    for (const [called, fields] of JSON_FORMS) {
      expect(help).toContain(`  ${called.padEnd(16)} ${fields.join(' ')}`.trimEnd());
      expect(page).toContain(`| \`${called}\` | ${fields.map((field) => `\`${field}\``).join(', ')} |`);
    }
  });

  it.each([
    'hello',
    '[1]',
    '{"do":"fly"}',
    '{"do":"add"}',
    '{"do":"block"}',
    '{"do":"remove"}',
    '{"do":"send","text":3}',
    '{"do":"history","name":"bob","count":"3"}',
    '{"do":"group","action":"fly"}',
    '{"do":"react","message":"1"}',
    '{"do":"expire","seconds":"60"}',
    '{"do":"expire"}',
    '{"do":"expire","seconds":0}',
    '{"do":"retention"}',
    '{"do":"reset-key","confirm":"yes"}',
    '{"do":"panic","name":"bob","everywhere":"yes"}',
    '{"do":"group","action":"admin","group":"tea","name":"bob","admin":"off"}',
    '{"do":"group","action":"remove","group":"tea"}',
    '{"do":"search","text":"tea","count":0}',
    '{"do":"read-receipts"}',
    '{"do":"retention","days":"30"}',
    '{"do":"group","action":"add","group":"tea","names":"bob"}',
  ])('is refused when it is %s', (line) => {
    expect(() => parseJsonLine(line)).toThrow();
  });
});
