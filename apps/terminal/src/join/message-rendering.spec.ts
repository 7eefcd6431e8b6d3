import { describe, expect, it } from '@jest/globals';
import type { MessageEvent } from './message-event.js';
import { MessageNumbers } from './message-numbers.js';
import { renderMessageEvent } from './message-rendering.js';

const now = new Date(2026, 0, 5, 14, 3).getTime();
const [id, other] = ['0a'.repeat(16), '0b'.repeat(16)];

/** The message with `id` has the number 1. */
function render(event: MessageEvent): string[] {
  const numbers = new MessageNumbers();
  numbers.numberOf(id);
  return renderMessageEvent(event, numbers, now);
}

describe('a message on the screen', () => {
  const message = { event: 'message', from: 'bob', id: other, text: 'Yes!', sentAt: now } as const;

  it('says what it answers by its first words, in one line', () => {
    const quote = { from: 'alice', text: 'Tea at five,\nor would you rather have coffee at six?' };
    expect(render({ ...message, replyTo: id, quote })).toEqual([
      '[14:03] #2 bob (answers #1 of alice, "Tea at five, or would you rather have c…"): Yes!',
    ]);
    expect(render({ ...message, replyTo: id })).toEqual(['[14:03] #2 bob (answers a message that is not here): Yes!']);
  });

  it('says that it was changed, when it goes, who reacted and who has read it', () => {
    const reactions = [{ emoji: '☕', by: ['alice', 'carol'] }];
    const shown = render({ ...message, edited: true, expiresAt: now + 3_600_000, reactions, readBy: ['alice'] });
    expect(shown).toEqual(['[14:03] #2 bob: Yes!  [edited; ☕ alice, carol; read by alice; goes at 15:03]']);
  });

  it('hides what somebody says who is blocked, also where it is quoted, until the user wants to see it', () => {
    const hidden = { ...message, from: 'bob~2222', text: 'I am still here', fromBlocked: true } as const;
    expect(render(hidden)).toEqual(['[14:03] #2 bob~2222: (hidden, as you have blocked who wrote it: /show 2)']);
    const quote = { from: 'bob~2222', text: 'I am still here', fromBlocked: true } as const;
    expect(render({ ...message, replyTo: id, quote }).join()).not.toContain('still');
    expect(
      render({ event: 'message-changed', id: other, what: 'edited', by: 'bob~2222', text: 'still', fromBlocked: true, conversation: 'x' }),
    ).toEqual(['[14:03] · bob~2222 changed #2: (hidden, as you have blocked who wrote it: /show 2)']);
    expect(render({ ...hidden, event: 'shown', conversation: 'x' })).toEqual(['[14:03] #2 bob~2222: I am still here']);
  });

  it('says what is there instead of a text that is deleted or not known', () => {
    expect(render({ ...message, text: '', deleted: true })).toEqual(['[14:03] #2 bob: (deleted)']);
    expect(render({ ...message, text: '', unknown: true })).toEqual([
      '[14:03] #2 bob: (a message of a kind that this version does not know)',
    ]);
  });
});

describe('what happens to a message', () => {
  const changed = { event: 'message-changed', id, text: '', by: 'bob', conversation: 'bob' } as const;

  it.each([
    [{ what: 'edited', text: 'Tea\nat six' }, ['[14:03] · bob changed #1: Tea', '                          at six']],
    [{ what: 'deleted' }, ['[14:03] · bob deleted #1']],
    [{ what: 'reacted', emoji: '☕' }, ['[14:03] · bob reacted to #1 with ☕']],
    [{ what: 'unreacted', emoji: '\u001b[2J' }, ['[14:03] · bob took \ufffd[2J back from #1']],
    [{ what: 'expired' }, ['[14:03] · #1 has expired and is gone']],
    [{ what: 'understood', text: 'hi' }, ['[14:03] · #1 can be read now: hi']],
  ] as const)('is told: %j', (change, lines) => {
    expect(render({ ...changed, ...change })).toEqual(lines);
  });

  it('is told of reading once for many, and not of what oneself has read', () => {
    const read = { event: 'read', conversation: 'bob', by: 'bob', own: false, ids: [id] } as const;
    expect(render(read)).toEqual(['[14:03] · bob has read #1']);
    expect(render({ ...read, ids: [id, other] })).toEqual(['[14:03] · bob has read 2 messages, the last is #2']);
    expect(render({ ...read, own: true })).toEqual([]);
  });

  it('is found with where it was said', () => {
    const found = { from: 'bob', id, text: 'tea', sentAt: now, conversation: 'ab'.repeat(32), groupName: 'five' };
    expect(render({ event: 'found', text: 'tea', messages: [found] })).toEqual(['[14:03] #1 bob in five: tea']);
    expect(render({ event: 'found', text: 'tea', messages: [] })).toEqual(['Nothing that is kept here says "tea".']);
  });
});
