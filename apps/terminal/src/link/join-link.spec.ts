import { describe, expect, it } from '@jest/globals';
import { encodeJoinLink, parseJoinLink } from './join-link.js';

const pin = 'ab'.repeat(32);

describe('a join link', () => {
  it.each([
    { host: 'chat.example.org', port: 7788, pin, invite: 'Ch_-9', name: 'bob' },
    { host: '127.0.0.1', port: 80, pin, invite: 'Ch' },
    { host: '::1', port: 443, pin },
  ])('says after parsing what was encoded: %o', (link) => {
    expect(parseJoinLink(encodeJoinLink(link))).toEqual({ invite: undefined, name: undefined, ...link });
  });

  it('keeps the pin and the invite behind the #, which is never sent anywhere', () => {
    expect(encodeJoinLink({ host: 'h', port: 1, pin, invite: 'code', name: 'bob' })).toBe(`sotto://h:1/#${pin}/code/bob`);
  });

  it('is whole again when it was copied over several rows of a screen', () => {
    const link = `sotto://h:1/#${pin.slice(0, 40)}\n    ${pin.slice(40)}/co\n    de/bob\n`;
    expect(parseJoinLink(link)).toEqual({ host: 'h', port: 1, pin, invite: 'code', name: 'bob' });
  });

  it.each([
    ['http://h:1/#', 'does not start with sotto'],
    ['sotto://h:1/', 'a host, a port and a pin'],
    [`sotto://h/#${pin}`, 'a host, a port and a pin'],
    [`sotto://h:1/#${pin.slice(1)}/code`, 'pin is not 64'],
    [`sotto://h:1/#${pin}/co+de`, 'cut short or altered'],
    [`sotto://h:1/#${pin}/code/Bob!`, 'not a legal name'],
    [`sotto://h:1/#${pin}/code/bob/more`, 'a host, a port and a pin'],
    [`sotto://h:99999/#${pin}`, 'its port is not one'],
  ])('is refused with the reason: %s', (text, reason) => {
    expect(() => parseJoinLink(text)).toThrow(reason);
  });
});
