import { describe, expect, it } from '@jest/globals';
import { checkMachine } from './machine-check.js';
import { checkClock } from './server-check.js';

const HOUR = 3_600_000;

describe('what sotto doctor says of clocks', () => {
  const certificate = { notBefore: new Date(10 * HOUR), notAfter: new Date(34 * HOUR) };

  it.each([
    [10 * HOUR - 1, 'broken', "this clock is behind the server's by 1 min or more"],
    [10 * HOUR, 'good', 'its certificate is good by this clock, for 24 h more'],
    [34 * HOUR - 60_000, 'good', 'its certificate is good by this clock, for 1 min more'],
    [34 * HOUR, 'broken', "this clock is ahead of the server's by 0 min or more"],
    [39 * HOUR, 'broken', "this clock is ahead of the server's by 5 h or more"],
  ])('at %d ms: %s', (now, health, text) => {
    expect(checkClock(certificate, now)).toMatchObject({ health, text });
  });
});

describe('what sotto doctor says of a machine', () => {
  const env = { LANG: 'C.UTF-8', TERM: 'xterm' };
  const output = { isTTY: true, columns: 80, rows: 24 };
  const healths = (machine: Partial<Parameters<typeof checkMachine>[0]>) =>
    checkMachine({ env, output, node: '22.1.0', ...machine }).map(({ health }) => health);

  it('is content with a new Node and a usual terminal, or none', () => {
    expect(healths({})).toEqual(['good', 'good']);
    expect(healths({ output: {}, env: {} })).toEqual(['good', 'good']);
  });

  it('tells an old Node, another locale, a dumb and a small terminal', () => {
    expect(healths({ node: '20.18.9' })).toEqual(['broken', 'good']);
    expect(healths({ env: { ...env, LC_ALL: 'C' } })).toEqual(['good', 'look']);
    expect(healths({ env: { ...env, TERM: 'dumb' }, output: { ...output, columns: 30 } })).toEqual(['good', 'look', 'look']);
  });
});
