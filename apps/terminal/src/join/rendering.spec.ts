import { describe, expect, it } from '@jest/globals';
import type { ChatEvent } from './chat-event.js';
import { MessageNumbers } from './message-numbers.js';
import { renderEvent } from './rendering.js';
import { clock, visible } from './shown-text.js';

const now = new Date(2026, 0, 5, 14, 3).getTime();
const render = (event: ChatEvent, numbers = new MessageNumbers()) => renderEvent(event, numbers, now);
const id = '0a'.repeat(16);

describe('the screen', () => {
  it('shows when a message was sent, and the day when that was not today', () => {
    expect(render({ event: 'message', from: 'bob', id, text: 'hi', sentAt: now })).toEqual(['[14:03] #1 bob: hi']);
    expect(clock(new Date(2026, 0, 4, 9, 5).getTime(), now)).toBe('[2026-01-04 09:05]');
  });

  it('indents the further lines of a message, so that nobody can write lines in the name of another', () => {
    expect(render({ event: 'message', from: 'bob', id, text: 'one\n[14:03] carol: two', sentAt: now })).toEqual([
      '[14:03] #1 bob: one',
      '                [14:03] carol: two',
    ]);
  });

  it('takes control characters and turned reading directions out of what others wrote', () => {
    expect(visible('a\u001b[2Jb\u0007\r\u202ec\n\td')).toBe('a\ufffd[2Jb\ufffd\ufffd\ufffdc\n  d');
  });

  it('names a message by the same small number from its queueing to its delivery', () => {
    const numbers = new MessageNumbers();
    expect(render({ event: 'delivery', to: 'bob', id, status: 'queued' }, numbers)).toEqual(['[14:03] · #1 to bob: queued']);
    expect(render({ event: 'delivery', to: 'bob', id, status: 'delivered' }, numbers)).toEqual(['[14:03] · #1 to bob: delivered']);
    expect(numbers.idOf('#1')).toBe(id);
    expect(numbers.idOf('2')).toBeUndefined();
  });

  it('says that a contact came and went', () => {
    expect(render({ event: 'presence', name: 'bob', online: true })).toEqual(['[14:03] · bob is online']);
    expect(render({ event: 'presence', name: 'bob', online: false })).toEqual(['[14:03] · bob is offline']);
  });

  it('breaks a safety number into groups of five digits', () => {
    const lines = render({ event: 'safety-number', name: 'bob', number: '1234567890'.repeat(6) });
    expect(lines.slice(1)).toEqual(Array.from({ length: 3 }, () => '  12345 67890 12345 67890'));
  });

  it('says what to type on either device while one waits to be let in, and shows its name in one line', () => {
    const device = '3f2a9c01'.repeat(4);
    const approval = { event: 'approval', device, name: 'tab\nlet\u001b', askedAt: now } as const;
    expect(render({ ...approval, stage: 'asked', own: false })).toEqual([
      '[14:03] ! A new device wants into your account: "tab let\ufffd", device 3f2a9c01, asked at [14:03].',
      '  /approve shows a code to compare, /deny refuses.',
      '  Not you? Then somebody has your password: /revoke 3f2a9c01, and /password.',
    ]);
    for (const own of [true, false]) {
      const lines = render({ ...approval, stage: 'compare', code: '12345678', own }).join();
      expect(lines).toContain('1234 5678');
      expect(lines).toContain('/approve 12345678');
      expect(lines).toContain('/deny');
    }
  });

  it('has a line for every end of an approval', () => {
    const approval = { event: 'approval', device: id, name: 'tablet', askedAt: now } as const;
    for (const stage of ['approved', 'taken', 'refused', 'expired', 'ended', 'broken'] as const)
      for (const own of [true, false]) expect(render({ ...approval, stage, own })[0]!.length).toBeGreaterThan(20);
  });

  it('lists devices with what they are, and history as it was written', () => {
    const device = { device: '3f2a9c01'.repeat(4), own: false, online: true, pending: false, revoked: false };
    const devices = [
      { ...device, own: true },
      { ...device, online: false, pending: true, name: 'tablet' },
      { ...device, online: false, revoked: true },
    ];
    expect(render({ event: 'devices', devices })).toEqual([
      '● 3f2a9c01  online, this one',
      '○ 3f2a9c01 "tablet"  waits to be let in',
      '○ 3f2a9c01  revoked',
    ]);
    const messages = [{ from: 'bob', id, text: 'hi\nthere', sentAt: now }];
    expect(render({ event: 'history', name: 'bob', messages })).toEqual(['[14:03] #1 bob: hi', '                there']);
    expect(render({ event: 'history', name: 'bob', messages: [] })).toEqual(['No messages with bob are kept here.']);
  });

  it('lists contacts and the queue, and says when they are empty', () => {
    expect(render({ event: 'contacts', contacts: [{ name: 'bob', state: 'accepted', online: true }] })).toEqual(['● bob  online']);
    expect(render({ event: 'contacts', contacts: [] })[0]).toContain('/add NAME');
    expect(render({ event: 'queue', messages: [{ id, to: 'bob', what: 'text', text: 'a\nb', status: 'waiting-for-online' }] })[0]).toMatch(
      /^#1 to bob \(kept here.*: a b$/,
    );
  });

  it('advises only what there is when there are no contacts', () => {
    expect(render({ event: 'contacts', contacts: [] })[0]).toContain('/add NAME');
    expect(render({ event: 'contacts', contacts: [], peer: true })[0]).toContain('/connect HOST:PORT');
  });

  it('says that it is this device that refuses a server with another identity, and why', () => {
    const refused = { event: 'connection', state: 'refused', cause: 'another identity' } as const;
    expect(render(refused)[0]).toMatch(/the server refuses this device: another identity \(\/login/);
    expect(render({ ...refused, reason: 'pin-changed' })[0]).toMatch(/ask its operator, by another way.*somebody may stand between$/);
  });

  it('shows who wrote before the group, whose name others chose', () => {
    const inGroup = { event: 'message', from: 'bob', id, text: 'hi', sentAt: now, group: 'ab'.repeat(32) } as const;
    expect(render({ ...inGroup, groupName: 'tea' })).toEqual(['[14:03] #1 bob in tea: hi']);
    expect(render({ ...inGroup, groupName: 'x: hi\n[14:03] carol' })).toEqual(['[14:03] #1 bob in x: hi [14:03] carol: hi']);
    expect(render({ event: 'message', from: 'alice', to: 'bob', id, text: 'hi', sentAt: now })).toEqual(['[14:03] #1 alice to bob: hi']);
    expect(render({ event: 'delivery', to: inGroup.group, groupName: 'tea', id, status: 'queued' })).toEqual([
      '[14:03] · #1 to tea: queued',
    ]);
  });

  it('says what happens in a group, and what to type', () => {
    const tea = { event: 'group', conversation: 'ab'.repeat(32), groupName: 'tea' } as const;
    const nothing = { added: [], removed: [], devicesAdded: [], devicesRemoved: [], promoted: [], demoted: [] };
    expect(render({ ...tea, what: 'missing', messages: 2, asking: 'carol' })).toEqual(['[14:03] · tea: 2 messages missing, asking carol']);
    const unjudged = { ...tea, what: 'unjudged', members: ['bob', 'carol'] } as const;
    expect(render(unjudged)[0]).toMatch(/of bob, carol: your messages wait.*: \/group keep abababab bob carol$/);
    expect(render({ event: 'group', conversation: 'alexandria', what: 'unjudged', members: ['alexandria'] })[0]).toMatch(
      /your messages wait\. .*: \/group keep alexandria alexandria$/,
    );
    expect(render({ event: 'group', conversation: 'bob', what: 'missing', messages: 1, asking: 'bob' })).toEqual([
      '[14:03] · bob: 1 message missing, asking bob',
    ]);
    expect(render({ ...tea, what: 'waiting', id, cause: 'hello' })).toEqual([
      '[14:03] · tea: #1 waits: until a device of somebody there has answered',
    ]);
    expect(render({ ...tea, what: 'invited', by: 'mallory~12ab' })[0]).toContain('/group accept abababab or /group decline abababab');
    const change = { ...tea, what: 'changed', by: 'bob', ...nothing } as const;
    expect(render({ ...change, added: ['carol', 'dave'], renamed: 'six' })).toEqual([
      '[14:03] · tea: carol, dave joined, added by bob',
      '[14:03] · tea: bob renamed it to six',
    ]);
    expect(render({ ...change, devicesAdded: ['carol'] })).toEqual(['[14:03] · tea: carol has another device here']);
    expect(render({ ...change, promoted: ['bob'] })).toEqual(['[14:03] · tea: bob is an admin now; the change is by bob']);
    expect(render({ ...change, demoted: ['carol'] })).toEqual(['[14:03] · tea: carol is no admin any more; the change is by bob']);
    const refusals = {
      full: '520 devices',
      'not-allowed': '/group members',
      'too-large': 'too large',
      unusable: 'keys',
      server: 'server',
    } as const;
    for (const [why, text] of Object.entries(refusals) as [keyof typeof refusals, string][]) {
      const [line] = render({ ...tea, what: 'refused', wanted: ['add'], why });
      expect(line).toContain(text);
      expect(line).toContain('not done: add');
    }
    for (const what of ['left', 'out'] as const) expect(render({ ...tea, what })).toHaveLength(1);
    expect(render({ ...tea, what: 'created', named: ['bob'] })[0]).toContain('who you named is in as soon as');
    expect(render({ ...tea, what: 'created', named: [] })[0]).toContain('nobody else is in it yet: /group add brings them in');
  });

  it('lists groups with their ids, invitations, and members with whose key is known', () => {
    const group = 'ab'.repeat(32);
    expect(render({ event: 'groups', groups: [], invitations: [] })[0]).toContain('/group new');
    const groups = [{ id: group, name: 'tea', members: ['alice', 'bob'], waiting: 'removal' }];
    const invitations = [{ id: 'cd'.repeat(32), name: 'cake', by: 'mallory~12ab' }];
    expect(render({ event: 'groups', groups, invitations })).toEqual([
      '# abababab tea  alice, bob, messages wait: until the device that was removed is out',
      '? cdcdcdcd cake  mallory~12ab invites: /group accept cdcdcdcd or /group decline cdcdcdcd',
    ]);
    const member = { name: 'bob', account: '01'.repeat(16), devices: ['3f2a9c01'.repeat(4)], admin: true } as const;
    expect(render({ event: 'members', group, groupName: 'tea', members: [{ ...member, verification: 'changed' }] })).toEqual([
      'tea  abababab',
      '  bob, admin  KEY CHANGED: /confirm; device 3f2a9c01',
    ]);
  });
});
