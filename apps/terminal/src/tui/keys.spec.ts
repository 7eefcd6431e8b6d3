import { describe, expect, it } from '@jest/globals';
import { type Key, KeyReader } from './keys.js';

const read = (...chunks: string[]): Key[] => {
  const reader = new KeyReader();
  return chunks.flatMap((chunk) => reader.push(chunk));
};

describe('keys of a terminal', () => {
  it('are told apart when several come in one chunk', () => {
    expect(read('hi\r\u001b[A\u007fé')).toEqual([
      { name: 'text', text: 'hi' },
      { name: 'enter' },
      { name: 'up' },
      { name: 'backspace' },
      { name: 'text', text: 'é' },
    ]);
  });

  it('are whole when one comes in several chunks', () => {
    expect(read('\u001b', '[', '1;5', 'C', 'x')).toEqual([{ name: 'word-right' }, { name: 'text', text: 'x' }]);
  });

  it('are not all known, and none of the unknown becomes text', () => {
    expect(read('\u001b[24~\u001b[<0;1;1M\u001b[I\u0000a')).toEqual([{ name: 'text', text: 'a' }]);
  });

  it('hold the Escape key, once nothing follows it', () => {
    const reader = new KeyReader();
    expect(reader.push('\u001b')).toEqual([]);
    expect(reader.waits).toBe(true);
    expect(reader.flush()).toEqual([{ name: 'escape' }]);
    expect(reader.waits).toBe(false);
    expect(reader.push('\u001b\u001b[A')).toEqual([{ name: 'escape' }, { name: 'up' }]);
  });

  it('are the Escape key and what was typed behind it when both come at once, unless that is a key with Alt', () => {
    expect(read('\u001b/to bob')).toEqual([{ name: 'escape' }, { name: 'text', text: '/to bob' }]);
    expect(read('\u001b', '👍')).toEqual([{ name: 'escape' }, { name: 'text', text: '👍' }]);
    expect(read('\u001bf\u001b\u0001x')).toEqual([{ name: 'word-right' }, { name: 'text', text: 'x' }]);
  });

  it('keep what is pasted apart, in whatever pieces it comes', () => {
    const pasted = '\u001b[200~one\rtwo\u0003\u001b[A\u001b[201~';
    const whole = [{ name: 'paste', text: 'one\ntwo\u0003\u001b[A' }, { name: 'enter' }];
    expect(read(`${pasted}\r`)).toEqual(whole);
    expect(read(...[...pasted], '\r')).toEqual(whole);
  });

  it('do not grow without bound when a paste does not end', () => {
    const reader = new KeyReader();
    reader.push('\u001b[200~');
    for (let i = 0; i < 64; i++) reader.push('x'.repeat(64 * 1024));
    const [paste] = reader.push('\u001b[201~');
    expect(paste).toMatchObject({ name: 'paste' });
    expect((paste as { text: string }).text).toHaveLength(1024 * 1024);
  });
});
