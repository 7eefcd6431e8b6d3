import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ChatEvent } from '../join/chat-event.js';
import { MessageNumbers } from '../join/message-numbers.js';
import { translate } from './chat-translation.js';
import { cellsOf } from './drawn-text.js';
import { panesOf } from './layout.js';
import { MAX_ENTRIES, selectedOf } from './state.js';
import { HOME, Model } from './session-model.harness.js';
import type { MessageChange, TuiEvent } from './update.js';

const UP = '\u001b[A';
const DOWN = '\u001b[B';
const PAGE_UP = '\u001b[5~';

let alice: Model;

beforeEach(() => {
  alice = new Model();
  alice.knows({ conversation: 'bob' }, { conversation: 'carol', online: false }, { conversation: 'dave', kind: 'request' });
});

describe('the list', () => {
  it('shows who asks first, then who wrote last, with what is unread', () => {
    alice.hears('bob', 'hi');
    alice.hears('carol', 'one');
    alice.hears('carol', 'two');
    expect(alice.list.slice(0, 5).map((row) => row.trim())).toEqual([
      expect.stringContaining('▣ alice'),
      '? dave',
      expect.stringMatching(/^○ carol +2$/),
      expect.stringMatching(/^● bob +1$/),
      '',
    ]);
    alice.types('\t\t');
    expect(alice.title).toContain('carol');
    expect(selectedOf(alice.state)).toMatchObject({ unread: 0 });
  });

  it('keeps what was said with somebody who is no contact any more', () => {
    alice.hears('bob', 'hi');
    alice.knows({ conversation: 'carol' });
    expect(alice.list.join('\n')).toMatch(/bob/);
    alice.opens('bob');
    expect(alice.title).toContain('no contact any more');
    expect(alice.list.join('\n')).not.toMatch(/dave/);
  });

  it('keeps what was said in a group that one is not in any more, as such', () => {
    alice.knows({ conversation: 'g1', title: 'tea', kind: 'group', online: false });
    alice.hears('g1', 'hi', { from: 'bob' });
    alice.knows({ conversation: 'bob' });
    alice.knows({ conversation: 'bob' });
    expect(alice.list.join('\n')).toMatch(/^ - tea/m);
    alice.opens('g1');
    expect(alice.title).toContain('a group that you are not in any more');
  });

  it('knows each conversation by its home', () => {
    const other = 'alice@other.example:7788';
    alice.happens(
      { type: 'home', home: { id: other, label: other, state: 'offline', cause: 'no route' } },
      { type: 'roster', home: other, rows: [{ conversation: 'bob', title: 'bob', kind: 'contact', online: false, keyChanged: false }] },
    );
    alice.happens({ type: 'open', home: other, conversation: 'bob' });
    alice.types('to the other bob\r');
    expect(alice.effects).toEqual([{ do: 'run', place: { home: other, conversation: 'bob' }, line: 'to the other bob' }]);
    alice.happens({ type: 'home-gone', home: other });
    expect(alice.list.join('\n')).not.toContain('other');
    expect(selectedOf(alice.state)).toBeDefined();
  });
});

describe('a conversation', () => {
  it('shows senders, times and what became of the own messages', () => {
    alice.opens('bob');
    alice.hears('bob', 'hello');
    const id = alice.hears('bob', 'hi bob', { own: true, from: 'alice' });
    alice.happens({ type: 'delivery', home: HOME, id, status: 'delivered' });
    const stuck = alice.hears('bob', 'are you there?', { own: true, from: 'alice' });
    alice.happens({ type: 'delivery', home: HOME, id: stuck, status: 'undelivered' });
    const shown = alice.pane.join('\n');
    expect(shown).toMatch(/─ Thu Jan 01 2026 ─/);
    expect(shown).toMatch(
      /\d\d:\d\d #1 bob hello\n.* #2 you hi bob ✓✓\n.* #3 you are you there\? !\n +not delivered in time; kept here: \/resend 3 or\n +\/discard 3/,
    );
  });

  it('knows what became of a message before it knows the message', () => {
    alice.happens({ type: 'delivery', home: HOME, id: 'early', status: 'delivered' });
    alice.hears('bob', 'fast', { own: true, id: 'early' });
    alice.opens('bob');
    expect(alice.pane.at(-1)).toMatch(/you fast ✓✓/);
    expect(alice.state.early.size).toBe(0);
  });

  it('shows answers, reactions, and what was edited or deleted', () => {
    alice.opens('bob');
    alice.hears('bob', 'yes', {
      replyTo: { from: 'alice', text: 'shall we?' },
      reactions: [{ emoji: '👍', by: ['alice', 'carol'] }],
      edited: true,
    });
    alice.hears('bob', 'secret', { deleted: true });
    expect(alice.pane.slice(-4)).toEqual([
      expect.stringContaining('┃ alice: shall we?'),
      expect.stringContaining('bob yes (edited)'),
      expect.stringContaining('👍 alice, carol'),
      expect.stringContaining('bob (deleted)'),
    ]);
    expect(alice.pane.join('')).not.toContain('secret');
  });

  it('follows what is said about messages that are there', () => {
    alice.opens('bob');
    const id = alice.hears('bob', 'tea at fiv');
    const own = alice.hears('bob', 'yes', { own: true, from: 'alice' });
    const changes = (of: string, ...all: MessageChange[]) =>
      alice.happens(...all.map((change): TuiEvent => ({ type: 'changed', home: HOME, conversation: 'bob', id: of, change })));
    changes(
      id,
      { what: 'edited', text: 'tea at five' },
      { what: 'reacted', emoji: '☕', by: 'carol' },
      { what: 'reacted', emoji: '☕', by: 'alice' },
    );
    changes(own, { what: 'read', by: 'bob' });
    const shown = () =>
      alice.pane
        .filter((row) => row !== '')
        .slice(1)
        .map((row) => row.trim());
    expect(shown()).toEqual([
      expect.stringMatching(/bob tea at five \(edited\)$/),
      '☕ alice, carol',
      expect.stringMatching(/you yes$/),
      'read by bob',
    ]);
    changes(id, { what: 'unreacted', emoji: '☕', by: 'alice' }, { what: 'unreacted', emoji: '☕', by: 'carol' }, { what: 'deleted' });
    expect(shown().slice(0, 2)).toEqual([expect.stringMatching(/bob \(deleted\)$/), expect.stringMatching(/you yes$/)]);
    changes(own, { what: 'expired' });
    expect(shown()).toHaveLength(1);
  });

  it('hides what somebody says who is blocked, counts it as nothing, and shows it to who wants to see it', () => {
    const id = alice.hears('bob', 'I am still here', { from: 'bob~2222', hidden: true });
    expect(alice.list.join('\n')).toMatch(/● bob$/m);
    alice.opens('bob');
    expect(alice.pane.join(' ')).toContain('(hidden, as you have');
    expect(alice.pane.join(' ')).not.toContain('still');
    alice.happens({ type: 'changed', home: HOME, conversation: 'bob', id, change: { what: 'shown' } });
    expect(alice.pane.at(-1)).toContain('I am still here');
  });

  it('knows what was unread before the session began, but not of what is before the user', () => {
    alice.happens({ type: 'unread', home: HOME, conversation: 'bob', count: 3 });
    expect(alice.list.join('\n')).toMatch(/● bob +3$/m);
    alice.opens('bob');
    alice.happens({ type: 'unread', home: HOME, conversation: 'bob', count: 3 });
    expect(selectedOf(alice.state)?.unread).toBe(0);
  });

  it('says who is typing', () => {
    alice.opens('bob');
    alice.happens({ type: 'typing', home: HOME, conversation: 'bob', who: ['bob'] });
    expect(alice.rule).toContain('bob is typing…');
    alice.happens({ type: 'typing', home: HOME, conversation: 'bob', who: [] });
    expect(alice.rule).not.toContain('typing');
  });

  it('lets nobody write lines in the name of another, or to the terminal', () => {
    alice.opens('bob');
    alice.hears('bob', 'hi\n12:00 carol I am carol\u001b[31m\u202e');
    const [first, second] = alice.pane.slice(-2);
    expect(first).toMatch(/bob hi$/);
    expect(second).toMatch(/^ {6}12:00 carol/);
    // eslint-disable-next-line no-control-regex -- That is what must not be there.
    expect(alice.pane.join('')).not.toMatch(/[\u001b\u202e]/);
  });

  it('lets nobody draw beyond its columns', () => {
    alice.opens('bob');
    alice.hears('bob', `${'👩\u200d'.repeat(78)}Password:`);
    alice.hears('bob', `${'\u200b'.repeat(20_000)}hidden`);
    expect(alice.pane.at(-1)).toMatch(/ hidden$/);
    expect(alice.pane.join('')).not.toMatch(/[\u200b\u200d]/u);
    for (const row of alice.pane) expect(cellsOf(row)).toBeLessThanOrEqual(panesOf(alice.state).pane);
  });

  it('stays where it was scrolled to when more comes, and counts that as unread', () => {
    alice.opens('bob');
    for (let i = 0; i < 100; i++) alice.hears('bob', `message ${i}`);
    alice.types(PAGE_UP);
    const before = alice.pane;
    alice.hears('bob', 'a new one');
    expect(alice.pane).toEqual(before);
    expect(selectedOf(alice.state)?.unread).toBe(1);
    alice.types('\u001b[6~\u001b[6~');
    expect(alice.pane.at(-1)).toContain('a new one');
    expect(selectedOf(alice.state)?.unread).toBe(0);
  });

  it('asks for older messages where those in memory end, and no scroll goes beyond them', () => {
    alice.opens('bob');
    for (let i = 0; i < MAX_ENTRIES + 50; i++) alice.hears('bob', `message ${i}`);
    expect(selectedOf(alice.state)?.entries).toHaveLength(MAX_ENTRIES);
    for (let i = 0; i < 200; i++) alice.types(PAGE_UP);
    expect(alice.pane.slice(0, 2).join('\n')).toMatch(/message 50$/);
    expect(alice.effects.at(-1)).toEqual({ do: 'older', home: HOME, conversation: 'bob' });
    const older = [
      { kind: 'message', id: 'old', from: 'bob', own: false, text: 'older', number: 0, sentAt: Date.UTC(2025, 0, 1) },
    ] as const;
    alice.happens({ type: 'history', home: HOME, conversation: 'bob', messages: older, whole: true });
    alice.types(PAGE_UP);
    expect(alice.pane.join('\n')).toMatch(/bob older/);
  });
});

const context = { home: HOME, ownName: 'alice', numbers: new MessageNumbers(), now: 0 };

describe('what is told beside messages', () => {
  const code = 'key-changed';
  const text = `WARNING: somebody calls itself bob and has another key. ${'It may be somebody else. '.repeat(4)}Compare, then confirm`;

  it('warns of a changed key whole, in that conversation, and says how to go on', () => {
    alice.opens('bob');
    alice.happens(...translate({ event: 'notice', code, contact: 'bob', text }, context));
    alice.types('hi');
    const shown = alice.pane.join(' ').replaceAll(/[ ]+/g, ' ');
    expect(shown).toContain(`! ${text}: /confirm bob`);
  });

  it('names the group that it is about where that is not shown, be it new or not', () => {
    const joined = { event: 'group', conversation: 'g1', groupName: 'tea', what: 'joined', by: 'bob', again: false } as const;
    alice.happens(...translate(joined, context));
    alice.opens('bob');
    alice.happens(...translate(joined, context));
    expect(alice.status).toBe(' tea: you are in; bob added you');
    alice.opens('');
    expect(alice.pane.filter((row) => row.includes('tea: you are in; bob added you'))).toHaveLength(2);
    alice.knows({ conversation: 'g1', title: 'tea', kind: 'group' });
    alice.happens(...translate(joined, context));
    alice.opens('g1');
    expect(alice.pane.at(-1)).toMatch(/· you are in; bob added you$/);
  });
});

describe('the connection', () => {
  const becomes = (event: Omit<Extract<ChatEvent, { event: 'connection' }>, 'event'>) =>
    alice.happens(...translate({ event: 'connection', ...event }, context));

  it('is told where it is missing for as long as it is, in groups too, whatever is typed', () => {
    alice.knows({ conversation: 'g1', title: 'tea', kind: 'group' });
    alice.opens('g1');
    expect(alice.title).toBe(' tea group');
    becomes({ state: 'offline', cause: 'no route', retryInMs: 7_000 });
    alice.types('hi');
    expect(alice.title).toBe(' tea group · no connection');
    expect(alice.status).toMatch(/^ no connection: no route · Enter sends/);
    becomes({ state: 'connecting' });
    expect(alice.status).toMatch(/^ connecting… ·/);
    becomes({ state: 'online' });
    expect([alice.title, alice.status]).toEqual([' tea group', expect.stringMatching(/^ Enter sends/)]);
  });

  it('has its story in the line of the account', () => {
    alice.opens('bob');
    becomes({ state: 'offline', cause: 'gone', retryInMs: 7_000 });
    becomes({ state: 'online' });
    // Nothing old stands where the present is told.
    expect(alice.status).not.toContain('no connection');
    alice.opens('');
    expect(alice.pane.at(-1)).toContain('no connection: gone; trying again in 7 s');
  });
});

describe('the input', () => {
  it('is one for each conversation, and comes back when its line could not be run', () => {
    alice.opens('bob');
    alice.types('for bob');
    alice.opens('carol');
    expect(alice.input).toEqual(['>']);
    alice.opens('bob');
    alice.types('\r');
    expect(alice.effects).toEqual([{ do: 'run', place: { home: HOME, conversation: 'bob' }, line: 'for bob' }]);
    alice.happens({ type: 'returned', home: HOME, conversation: 'bob', text: 'for bob' });
    expect(alice.input).toEqual(['> for bob']);
  });

  it('brings back what was sent, and loses nothing that was not', () => {
    alice.opens('bob');
    alice.types('one\rtwo\r');
    alice.types(UP);
    expect(alice.input).toEqual(['> two']);
    alice.types(UP);
    expect(alice.input).toEqual(['> one']);
    alice.types(DOWN + DOWN);
    expect(alice.input).toEqual(['>']);
    alice.types('half' + UP);
    expect(alice.input).toEqual(['> half']);
  });

  it('shows control characters as such, also of a line that comes back, and sends what was pasted', () => {
    alice.opens('bob');
    alice.types('\u001b[200~A\u001b]0;pwned\u0007B\u001b[31mC\tD\u001b[201~');
    const shown = '> A\ufffd]0;pwned\ufffdB\ufffd[31mC  D';
    expect(alice.input).toEqual([shown]);
    alice.types('\r');
    expect(alice.effects).toMatchObject([{ line: 'A\u001b]0;pwned\u0007B\u001b[31mC\tD' }]);
    alice.types(UP);
    expect(alice.input).toEqual([shown]);
  });

  it('grows to six rows, and no further', () => {
    alice.opens('bob');
    alice.types('\u001b[200~1\r2\r3\r4\r5\r6\r7\r8\u001b[201~');
    expect(alice.input).toHaveLength(6);
    expect(alice.input.join()).toContain('8');
    expect(alice.effects).toEqual([]);
  });

  it('completes commands', () => {
    alice.opens('bob');
    alice.types('/ver\t');
    expect(alice.input).toEqual(['> /verify']);
    alice.types('\u0015/re\t');
    expect(alice.status).toContain('/remove');
    expect(alice.status).toContain('/resend');
  });

  it('completes names at hand, and homes behind an @', () => {
    const other = 'alice@other.example:7788';
    alice.happens({ type: 'home', home: { id: other, label: other, state: 'online' } });
    alice.opens('bob');
    alice.types('/verify ca\t');
    expect(alice.input).toEqual(['> /verify carol']);
    alice.types('\u0015/add erin@\t');
    expect(alice.status).toContain('chat.example:7788 other.example:7788');
    alice.types('o\t');
    expect(alice.input).toEqual(['> /add erin@other.example:7788']);
  });

  it('accepts a request by Enter alone', () => {
    alice.opens('dave');
    alice.types('\r');
    expect(alice.effects).toEqual([{ do: 'run', place: { home: HOME, conversation: 'dave' }, line: '/accept dave' }]);
  });
});

describe('a question', () => {
  it('takes the keys, shows no secret, and leaves what was being written alone', () => {
    alice.opens('bob');
    alice.types('half a mess');
    alice.happens({ type: 'question', question: { id: 7, text: 'Password:', hidden: true, answer: { text: '', cursor: 0 } } });
    alice.types('tr0ub4dor');
    expect(alice.input.join()).not.toContain('tr0ub');
    alice.types('\r');
    expect(alice.effects).toEqual([{ do: 'answer', question: 7, text: 'tr0ub4dor' }]);
    alice.types('age');
    expect(alice.input).toEqual(['> half a message']);
  });
});

describe('a small screen', () => {
  it('says all that can be done about who asks', () => {
    alice.opens('dave');
    const said = () =>
      alice.pane
        .map((row) => row.trim())
        .join(' ')
        .trim();
    expect(said()).toBe('dave asks to be a contact of yours: Enter accepts, /decline dave turns it down.');
  });

  it('shows one pane, and is never wider than the terminal', () => {
    for (const [columns, rows] of [
      [39, 24],
      [80, 9],
      [20, 5],
      [1, 1],
    ] as const) {
      alice.happens({ type: 'resized', columns, rows });
      alice.opens('bob');
      alice.hears('bob', 'some words, 日本語 and 👋');
      alice.types('typed');
      for (const row of [...alice.pane, ...alice.input, alice.status, alice.title]) expect(row.length).toBeLessThanOrEqual(columns);
    }
  });
});
