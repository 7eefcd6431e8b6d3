import { describe, expect, it } from '@jest/globals';
import { parseTypedLine } from '../join/chat-command.js';
import type { Routed } from './named-homes.js';
import { route, withName } from './routing.js';
import type { Place } from './state.js';

const HOME = 'alice@chat.example:7788';
const WORK = 'alice_w@work.example:9000';
const PEERS = 'alice, without a server';

const home = (kind: Routed['kind'], contacts: string[], groups: string[] = []): Routed => ({
  kind,
  groups: () => groups.map((name, i) => ({ id: `${i}`.repeat(32), name })),
  client: {
    contacts: () =>
      contacts.map((name) => ({
        name,
        status: 'accepted',
        online: true,
        account: name,
        identityKey: new Uint8Array(32),
        acceptedByMe: true,
      })),
  },
});

const all = new Map([
  [HOME, home('account', ['bob'], ['tea@home'])],
  [WORK, home('account', ['dora', 'bob'])],
  [PEERS, home('peers', ['carol'])],
]);
const withBob: Place = { home: HOME, conversation: 'bob' };
const withCarol: Place = { home: PEERS, conversation: 'carol' };

function goes(line: string, place: Place = withBob, homes = all): unknown {
  const command = parseTypedLine(line);
  return command === undefined ? undefined : route(command, place, homes);
}

describe('a command without a name', () => {
  it('is about who or what is shown, if it makes no end of that', () => {
    const bob = { kind: 'contact', conversation: 'bob' } as const;
    const tea = { kind: 'group', conversation: 'ab12' } as const;
    expect([withName('/verify ', bob), withName('/history', bob)]).toEqual(['/verify bob', '/history bob']);
    expect([withName('/group members', tea), withName('/history', tea)]).toEqual(['/group members ab12', '/history ab12']);
    for (const line of ['/block', '/remove', '/group members', '/verify carol']) expect(withName(line, bob)).toBe(line);
    for (const line of ['/verify', '/group leave']) expect(withName(line, tea)).toBe(line);
    expect(withName('/verify', { kind: 'home', conversation: '' })).toBe('/verify');
  });
});

describe('with several homes in one session', () => {
  it('a name takes its server behind an @, as briefly as it is plain', () => {
    for (const where of ['work.example:9000', 'work.example', WORK])
      expect(goes(`/add erin@${where}`)).toEqual({ home: WORK, command: { do: 'add', name: 'erin' } });
    expect(goes('/to carol@peers Good morning')).toEqual({ home: PEERS, command: { do: 'send', to: 'carol', text: 'Good morning' } });
    expect(goes('/to @work.example')).toEqual({ home: WORK, command: { do: 'to', name: '' } });
  });

  it('what names no home that is open is refused, with those that are', () => {
    expect(() => goes('/add erin@nowhere:1')).toThrow(
      'nothing is open here that is called nowhere:1: there is chat.example:7788, work.example:9000, peers',
    );
  });

  it('where nothing is open yet, that is said', () => {
    expect(() => goes('/to bob@nowhere', withBob, new Map())).toThrow('nothing is open here yet');
  });

  it('two accounts on one server are told apart by their names', () => {
    const two = new Map([...all, ['bella@chat.example:7788', home('account', [])]]);
    expect(() => goes('/add erin@chat.example', withBob, two)).toThrow('/add NAME@alice@chat.example:7788 or NAME@bella@chat.example:7788');
    expect(goes('/add erin@bella@chat.example', withBob, two)).toMatchObject({ home: 'bella@chat.example:7788' });
  });

  it('nobody is asked on a server that was not meant: not beside a conversation, yes at the account itself', () => {
    expect(() => goes('/add erin')).toThrow('on which server? /add erin@chat.example:7788 or /add erin@work.example:9000');
    expect(() => goes('/add erin', withCarol)).toThrow('on which server?');
    expect(goes('/add erin', { home: WORK, conversation: '' })).toMatchObject({ home: WORK });
  });

  it('where there is but one server, or but one home of peers, it is that one', () => {
    const one = new Map([...all].filter(([id]) => id !== WORK));
    expect(goes('/add erin', withCarol, one)).toMatchObject({ home: HOME });
    expect(goes('/connect 10.0.0.2:7789')).toMatchObject({ home: PEERS, command: { do: 'connect' } });
  });

  it('a name that is known elsewhere alone goes nowhere until its home is said', () => {
    expect(() => goes('/to dora hello')).toThrow('there is no dora where you are, but elsewhere: /to dora@work.example:9000');
    expect(() => goes('/verify carol')).toThrow('/verify carol@peers');
    expect(goes('/to bob hello')).toMatchObject({ home: HOME });
    expect(goes('/to nobody hello')).toMatchObject({ home: HOME });
  });

  it('a group may have an @ in its name', () => {
    expect(goes('/to tea@home hello')).toMatchObject({ home: HOME, command: { to: 'tea@home' } });
  });

  it('a group is made where its members are said to be, and its commands go where it is said to be', () => {
    expect(goes('/group new tea dora@work.example bob')).toEqual({
      home: WORK,
      command: { do: 'group', action: 'new', name: 'tea', contacts: ['dora', 'bob'] },
    });
    expect(goes('/group admin tea@work.example bob')).toMatchObject({ home: WORK, command: { group: 'tea', name: 'bob' } });
    expect(goes('/group remove "tea party@work.example" bob')).toMatchObject({
      home: WORK,
      command: { group: 'tea party', names: ['bob'] },
    });
    expect(goes('/group accept 01ab@work.example')).toMatchObject({ home: WORK, command: { id: '01ab' } });
    expect(goes('/group rename tea@home a@b')).toEqual({
      home: HOME,
      command: { do: 'group', action: 'rename', group: 'tea@home', name: 'a@b' },
    });
    expect(goes('/group new tea bob')).toMatchObject({ home: HOME });
  });

  it('a group is not made of people on several servers, nor where somebody is not who is known elsewhere alone', () => {
    expect(() => goes('/group new tea dora@work.example bob@chat.example')).toThrow(
      'a group and its members are on one server, not on chat.example:7788 and work.example:9000',
    );
    expect(() => goes('/group new tea dora')).toThrow(
      'there is no dora where you are, but elsewhere: /group new NAME dora@work.example:9000',
    );
    expect(() => goes('/group leave tea@home', { home: WORK, conversation: '' })).toThrow('nothing is open here that is called home');
  });

  it('a group that is known elsewhere alone is left alone until its home is said', () => {
    const homes = new Map([...all, [WORK, home('account', ['dora'], ['tea party'])]]);
    expect(() => goes('/group leave "tea party"', withBob, homes)).toThrow(
      'there is no tea party where you are, but elsewhere: /group leave "tea party@work.example:9000"',
    );
    expect(() => goes('/to "tea party" hello', withBob, homes)).toThrow('/to "tea party@work.example:9000"');
    expect(goes('/group leave "tea party"', { home: WORK, conversation: '' }, homes)).toMatchObject({ home: WORK });
  });

  it('text is for the conversation in which it was written', () => {
    expect(goes('meet me @work.example')).toEqual({ home: HOME, command: { do: 'send', text: 'meet me @work.example' } });
  });
});
