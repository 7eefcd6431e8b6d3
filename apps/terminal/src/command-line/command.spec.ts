import { describe, expect, it } from '@jest/globals';
import { resolve } from 'node:path';
import { type Command, parseCommand } from './command.js';

const pin = 'ab'.repeat(32);
const parse = (line: string): Command => parseCommand(line.split(' ').filter((word) => word !== ''));

describe('the command line', () => {
  it('hosts on loopback with invites unless told otherwise', () => {
    expect(parse('host')).toMatchObject({ host: '127.0.0.1', port: 7788, size: 1000, registration: 'invite', retryWindowSeconds: 30 });
    expect(parse('host -p 0 -s 50 --host 0.0.0.0 --registration open --retry-window 3')).toMatchObject({
      port: 0,
      size: 50,
      host: '0.0.0.0',
      registration: 'open',
      retryWindowSeconds: 3,
    });
  });

  it('names in its links what others reach it by', () => {
    expect(parse('host --public chat.example.org:443')).toMatchObject({ publicAddress: { host: 'chat.example.org', port: 443 } });
    expect(parse('host --public [2001:db8::1]:7788')).toMatchObject({ publicAddress: { host: '2001:db8::1', port: 7788 } });
    expect(parse('host -p 0 --public chat.example.org')).toMatchObject({ publicAddress: { host: 'chat.example.org' } });
    expect(parse('host -p 0 --public chat.example.org')).not.toMatchObject({ publicAddress: { port: expect.anything() } });
    expect(parse('host')).toMatchObject({ publicAddress: undefined });
  });

  it('only logs in, unless --invite or --new says to register', () => {
    expect(parse('join -t h -p 1 -i alice')).toMatchObject({ register: undefined, password: { from: 'prompt' } });
    expect(parse('join -t h -p 1 -i alice --new')).toMatchObject({ register: { invite: undefined } });
    expect(parse('join -t h -p 1 -i alice --invite c')).toMatchObject({ register: { invite: 'c' } });
  });

  it('takes from a link where, who and with what', () => {
    expect(parse(`join sotto://h:1/#${pin}/code/bob`)).toMatchObject({
      host: 'h',
      port: 1,
      pin,
      name: 'bob',
      register: { invite: 'code' },
    });
    expect(parse(`join sotto://h:1/#${pin}/code -i carol`)).toMatchObject({ name: 'carol' });
  });

  it('reads the password from a file or a descriptor, and has no option for the password itself', () => {
    expect(parse('join -t h -i alice --password-file f')).toMatchObject({ password: { from: 'file', path: 'f' } });
    expect(parse('join -t h -i alice --password-fd 3')).toMatchObject({ password: { from: 'descriptor', descriptor: 3 } });
    expect(() => parse('join -t h -i alice --password secret')).toThrow('has no option --password');
  });

  it('lets a new device in by a recovery file, whose passphrase is not on the command line either', () => {
    expect(parse('join -t h -i alice --recovery f --passphrase-file p')).toMatchObject({
      recovery: { file: 'f', passphrase: { from: 'file', path: 'p' } },
    });
    expect(parse('join -t h -i alice --recovery f')).toMatchObject({ recovery: { passphrase: { from: 'prompt' } } });
    expect(parse('join -t h -i alice')).toMatchObject({ recovery: undefined });
    expect(() => parse('join -t h -i alice --recovery f --passphrase secret')).toThrow('has no option --passphrase');
  });

  it('names a new device by the system alone unless told otherwise', () => {
    expect(parse('join -t h -i alice')).toMatchObject({ deviceName: `sotto on ${process.platform}` });
    expect(parse('join -t h -i alice --device tablet')).toMatchObject({ deviceName: 'tablet' });
  });

  it('keeps a mailbox as it joins, as another device', () => {
    expect(parse('mailbox -t h -i alice')).toMatchObject({ command: 'mailbox', name: 'alice', deviceName: 'sotto mailbox' });
    expect(parse('mailbox --help')).toEqual({ command: 'help', about: 'mailbox' });
    expect(() => parse('mailbox -i alice')).toThrow('say where: sotto mailbox');
    expect(() => parse('mailbx')).toThrow('did you mean sotto mailbox?');
  });

  it('opens stores by a key file, which it makes only when told to', () => {
    const keyFile = { path: resolve('k'), isNew: false };
    expect(parse('join -t h -i alice --key-file k')).toMatchObject({ keyFile });
    expect(parse('listen -i alice --key-file k --new-key-file')).toMatchObject({ keyFile: { ...keyFile, isNew: true } });
    expect(() => parse('join -t h -i alice --new-key-file')).toThrow('--key-file FILE');
  });

  it('exports from a stored account, and imports to a server', () => {
    expect(parse('export f -i alice --passphrase-file p')).toMatchObject({
      file: 'f',
      name: 'alice',
      at: undefined,
      passphrase: { path: 'p' },
    });
    expect(parse('export f -i alice -t h -p 1')).toMatchObject({ at: { host: 'h', port: 1, name: 'alice' } });
    expect(parse(`import f sotto://h:1/#${pin} -i bob --merge`)).toMatchObject({
      file: 'f',
      merge: true,
      join: { host: 'h', name: 'bob', pin },
    });
    expect(() => parse('export -i alice')).toThrow('say which file');
    expect(() => parse('import f -i alice')).toThrow('say where');
    expect(() => parse('export f')).toThrow('say whose');
    expect(() => parse('export f -i alice --new-key-file')).toThrow('has no option --new-key-file');
  });

  it('destroys here, and only when told to everywhere or without a question', () => {
    expect(parse('panic -i alice')).toMatchObject({ command: 'panic', name: 'alice', everywhere: false, yes: false });
    expect(parse('panic -i alice -t h --everywhere --yes')).toMatchObject({ everywhere: true, yes: true, at: { host: 'h' } });
    expect(() => parse('panic')).toThrow('say whose');
  });

  it.each([
    ['join -t h -i alice --passphrase-fd 3', 'opens a recovery file'],
    [`join -t h -i alice --device ${'x'.repeat(65)}`, 'at most 64 bytes'],
    ['hots', 'did you mean sotto host?'],
    ['host --prot 3', 'did you mean --port?'],
    ['host -p', '-p needs a value'],
    ['host -p 70000', 'from 0 to 65535'],
    ['host -s 0', 'from 1 to'],
    ['host -p 1 -p 2', 'given twice'],
    ['host --registration opne', 'did you mean open?'],
    ['host extra', 'one word too many'],
    ['host --public https://chat.example.org', '--public is HOST:PORT or HOST'],
    ['host --public 0.0.0.0:7788', 'as others reach this server'],
    ['host --public chat.example.org:70000', 'from 1 to 65535'],
    ['--pasword-file f', 'sotto has no option --pasword-file, did you mean --password-file?'],
    ['host --json=yes', 'takes no value'],
    ['join', 'say where'],
    ['join -t h', 'say who you are'],
    ['join -t h -i Alice!', '3 to 32'],
    ['join -t h -i alice -k 12', '64 hexadecimal digits'],
    ['join -t h -i alice --invite c --new', 'one or the other'],
    ['join h:1', 'is no link'],
    [`join sotto://h:1/#${pin} -i alice -p 2`, 'leave out -t and -p'],
    [`join sotto://h:1/#${pin} -i alice -k ${'cd'.repeat(32)}`, 'not the one after -k'],
    ['invite Bob', '3 to 32'],
    ['join -t h -i NAME', 'put your own name in the place of NAME'],
    [`join sotto://h:1/#${pin}/code/carol -i mallory`, 'this invite is for carol, not for mallory'],
    [`servers add sotto://h:1/#${pin}/code/carol -i mallory`, 'this invite is for carol, not for mallory'],
    ['completion', 'bash|zsh|fish'],
    ['completion tcsh', 'bash|zsh|fish'],
    ['doctor -k 12', '--pin is of one server'],
    ['doctor somewhere', 'neither HOST:PORT nor a link'],
    ['doctor h:1 -k 12', '64 hexadecimal digits'],
    ['doctor h:1 --json x', 'one word too many'],
  ])('says what is wrong with: sotto %s', (line, reason) => {
    expect(() => parse(line)).toThrow(reason);
  });

  it('examines one server, by link or address, or all that are remembered; never with a question', () => {
    expect(parse('doctor')).toEqual({ command: 'doctor', server: undefined, password: undefined, json: false });
    expect(parse(`doctor sotto://h:1/#${pin}/code/bob --json`)).toEqual({
      command: 'doctor',
      server: { host: 'h', port: 1, name: 'bob', pin, tls: false, store: undefined },
      password: undefined,
      json: true,
    });
    expect(parse('doctor h:1 -i alice --tls --password-fd 3')).toMatchObject({
      server: { host: 'h', name: 'alice', pin: undefined, tls: true },
      password: { from: 'descriptor', descriptor: 3 },
    });
  });

  it('shows help when asked, anywhere', () => {
    expect(parse('host -p 1 --help')).toEqual({ command: 'help', about: 'host' });
    expect(parse('-h')).toEqual({ command: 'help' });
    expect(parse('--password-file f --help')).toEqual({ command: 'help' });
    expect(parse('export f --help')).toEqual({ command: 'help', about: 'export' });
  });

  it('opens what is remembered when nothing else is said', () => {
    expect(parse('')).toEqual({ command: 'open', password: { from: 'prompt' } });
    expect(parse('--password-file f')).toEqual({ command: 'open', password: { from: 'file', path: 'f' } });
  });

  it('remembers servers by link or address', () => {
    const link = `sotto://[::1]:7788/#${'ab'.repeat(32)}`;
    const server = { host: '::1', port: 7788, name: 'alice', pin: 'ab'.repeat(32) };
    expect(parse(`servers add ${link} -i alice`)).toEqual({ command: 'servers', action: 'add', server, json: false });
    expect(() => parse(`servers add ${link}/CODE/alice`)).toThrow('this link registers');
    expect(parse('servers add chat.example:1 -i bob --tls')).toMatchObject({
      server: { host: 'chat.example', port: 1, name: 'bob', tls: true },
    });
    expect(parse('servers')).toMatchObject({ action: 'list' });
    expect(parse('servers remove chat.example:1')).toMatchObject({ action: 'remove', address: 'chat.example:1', name: undefined });
    expect(() => parse('servers add chat.example -i bob')).toThrow('neither HOST:PORT nor a link');
    expect(() => parse('servers add chat.example:1')).toThrow('say who you are there');
    expect(() => parse('servers rmove chat.example:1')).toThrow('did you mean sotto servers remove?');
  });
});
